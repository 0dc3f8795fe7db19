"""The stand-in in a process of its own: prints its address, and answers until it is killed."""

import json
import threading

from tests.horizon.examples import host, hosts
from tests.horizon.standin import running

SENTENCE = "All required registers match approved baselines, and oat-1 agrees."

if __name__ == "__main__":
    rows = [host(f"compute-{at:05}", sentence=SENTENCE, baselines=["BIOS 2.19", "VMM 6.1"]) for at in range(20)]
    with running() as service:
        service.says("GET /v1/hosts", hosts(*rows, following="compute-00019~20"))
        print(json.dumps(service.url), flush=True)
        threading.Event().wait()
