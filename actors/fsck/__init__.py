"""fsck: whether hbase:meta, the servers and the files tell one story, and what can be mended.

``check`` looks and changes nothing, ``mends`` says what is safe to mend and why, ``file_mender``
mends the files of a stopped cluster; in a running one the master does it (actors/mender.py).
Source of the idea: HBase's HBCK2 and its hbck report.
"""
