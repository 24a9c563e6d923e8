"""The tests, a folder for each room of the package, and the doubles that they share."""
