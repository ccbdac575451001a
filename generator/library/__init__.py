"""The library of a team: finding its images, keeping order among them, the trash."""
