"""Making proposals: from what hosts show, from what people bring along, and by hand; and editing them.

Each page shows what would follow before anything is made. A form carries keys and the hash of what was shown, never
values of hosts: those are read anew, and where they have changed, the person is asked again.
"""
