"""`@task.thymia_upload` and its likes: a function whose records are delivered."""
