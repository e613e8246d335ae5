"""PySpark's name for vonk's RDDs and context."""
