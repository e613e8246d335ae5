"""Hadoop's own formats without Hadoop: SequenceFiles, the Writables in them, and text as pairs.

The layout of the files is that of Hadoop 3, checked against files that Spark 4.3 wrote and against what it
read of those written here.
"""
