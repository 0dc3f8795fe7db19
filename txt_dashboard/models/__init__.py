"""Tables, constraints and querysets; no I/O besides the database, no rules."""

from txt_dashboard.models.activity import Activity, ActivityCheck, ActivityHead
from txt_dashboard.models.attestation import Attestation
from txt_dashboard.models.host import Host, HostEvent
from txt_dashboard.models.poll import PollRequest
from txt_dashboard.models.reference import Baseline, Measurement, Policy
from txt_dashboard.models.server import Server

__all__ = [
    "Activity",
    "ActivityCheck",
    "ActivityHead",
    "Attestation",
    "Baseline",
    "Host",
    "HostEvent",
    "Measurement",
    "Policy",
    "PollRequest",
    "Server",
]
