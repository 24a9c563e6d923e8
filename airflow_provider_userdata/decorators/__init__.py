"""Task decorators such as `@task.thymia_upload`: the records that a function returns or yields are delivered."""
