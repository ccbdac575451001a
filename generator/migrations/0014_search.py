"""Both databases get a full-text index over the search words. May run again."""

from typing import Any

from django.db import migrations

SQLITE: tuple[str, ...] = (
    # `ascii` leaves every letter beyond ASCII alone: our words stay as they are. A beginning of a
    # length that `prefix` does not name is put together of all words that begin so, at each search.
    "CREATE VIRTUAL TABLE IF NOT EXISTS image_search USING fts5("
    "words, content='generator_imagewords', content_rowid='place', detail=none, columnsize=0, "
    "prefix='1 2 3 4 5 6 7 8 9 10 11 12', tokenize=\"ascii tokenchars '_'\")",
    "CREATE TRIGGER IF NOT EXISTS image_search_insert AFTER INSERT ON generator_imagewords BEGIN "
    "INSERT INTO image_search(rowid, words) VALUES (new.place, new.words); END",
    "CREATE TRIGGER IF NOT EXISTS image_search_delete AFTER DELETE ON generator_imagewords BEGIN "
    "INSERT INTO image_search(image_search, rowid, words) "
    "VALUES ('delete', old.place, old.words); END",
    "CREATE TRIGGER IF NOT EXISTS image_search_update AFTER UPDATE ON generator_imagewords BEGIN "
    "INSERT INTO image_search(image_search, rowid, words) "
    "VALUES ('delete', old.place, old.words); "
    "INSERT INTO image_search(rowid, words) VALUES (new.place, new.words); END",
    "INSERT INTO image_search(image_search) VALUES ('rebuild')",
)
POSTGRESQL: tuple[str, ...] = (
    # The pending list of `fastupdate` would be read from end to end by each search.
    "CREATE INDEX IF NOT EXISTS image_search ON generator_imagewords USING gin "
    "(array_to_tsvector(string_to_array(words, ' '))) WITH (fastupdate = off)",
)


def make_index(apps: Any, schema_editor: Any) -> None:
    match schema_editor.connection.vendor:
        case "sqlite":
            statements = SQLITE
        case "postgresql":
            statements = POSTGRESQL
        case other:
            raise NotImplementedError(f"The library cannot be searched on {other}.")
    for statement in statements:
        schema_editor.execute(statement, params=None)


def drop_index(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for name in ("insert", "delete", "update"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS image_search_{name}", params=None)
        schema_editor.execute("DROP TABLE IF EXISTS image_search", params=None)
    else:
        schema_editor.execute("DROP INDEX IF EXISTS image_search", params=None)


class Migration(migrations.Migration):
    dependencies = [("generator", "0013_search_words")]

    operations = [migrations.RunPython(make_index, drop_index)]
