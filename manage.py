#!/usr/bin/env python
"""Django's commands, from a checkout."""

from txt_dashboard.__main__ import main

if __name__ == "__main__":
    main()
