"""Event logs: what firmware, boot loader and TXT say they measured; parsed, replayed, decoded, compared.

Only the register and the digest of an event are authenticated, and only by a replay that ends at a
verified register. Everything else (type, text, order between registers) is what the log says: good for
an explanation, never for a verdict.

cursor    bounded reading, and the one error that all of it raises
kinds     names of event types
log       the four formats -> Log
replay    Log -> register values; explained, unexplained, contradicted
text      bytes from a log -> text that is safe to show
uefi      structures in the data of events: variables, images, partitions (devicepath: where a file lies)
story     one event -> what it says, for people
checks    what is odd about a log
align     which events of two logs are the same
why       two logs -> what was removed, added, changed and moved
varying   baselines by events, for registers that legitimately vary
"""
