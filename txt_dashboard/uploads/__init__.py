"""What people bring along, read from bytes: our own file, OpenAttestation's MLEs, registers as tools print them.

All of it is hostile: bounded before it is read, decoded strictly, and refused in sentences that name the entry and
the register. What comes out are drafts: nothing is checked against policies here, and nothing is written.
"""
