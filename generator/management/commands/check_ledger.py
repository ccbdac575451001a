"""`manage.py check_ledger`: proves the books. Ends with 1 where anything is wrong."""

from typing import Any

from django.core.management.base import BaseCommand

from generator import books


class Command(BaseCommand):
    """Print what is wrong with the books, and last by how many credits they are off."""

    help = "Proves the ledger, its totals and the usage by working them out again."

    def handle(self, **options: Any) -> None:
        """Print each kind of fault with the first of them. Raises SystemExit where there is one."""
        findings = books.prove()
        for finding in findings:
            self.stdout.write(f"{finding.what}: {finding.count} ({finding.credits} credits)")
            for where in finding.where:
                self.stdout.write(f"  {where}")
            if finding.count > len(finding.where):
                self.stdout.write(f"  and {finding.count - len(finding.where)} more")
        off = books.drift(findings)
        self.stdout.write(f"drift: {off} credits")
        if findings:
            raise SystemExit(1)
