"""Tables, constraints and querysets; no I/O besides the database, no rules."""

from txt_dashboard.models.activity import Activity, ActivityCheck, ActivityHead
from txt_dashboard.models.api_key import ApiKey
from txt_dashboard.models.attestation import Attestation
from txt_dashboard.models.cloud import (
    Cloud,
    CloudHost,
    NotHypervisor,
    PoolMove,
    TraitHold,
    TraitIntent,
    UnmatchedHost,
)
from txt_dashboard.models.flavor import CloudFlavor, SchedulerAsked
from txt_dashboard.models.governance import Account, Decision, DecisionVerb, Proposal, ProposalState, SignedSet
from txt_dashboard.models.host import Host, HostEvent
from txt_dashboard.models.instances import CloudInstance, InstanceLook, StakeEnding, StakeInterval
from txt_dashboard.models.measurement import Measurement
from txt_dashboard.models.poll import PollRequest
from txt_dashboard.models.publishing import (
    AgentPolicy,
    AgentStand,
    PolicyRound,
    Publication,
    PublicationState,
    Registering,
    Whitelisted,
    WhitelistReading,
)
from txt_dashboard.models.quoted import EventLog, ImaList, MeasuredLog, Quoted, RegisterLog
from txt_dashboard.models.server import Server

__all__ = [
    "Account",
    "Activity",
    "ActivityCheck",
    "ActivityHead",
    "AgentPolicy",
    "AgentStand",
    "ApiKey",
    "Attestation",
    "Cloud",
    "CloudFlavor",
    "CloudHost",
    "CloudInstance",
    "Decision",
    "DecisionVerb",
    "EventLog",
    "Host",
    "HostEvent",
    "ImaList",
    "InstanceLook",
    "MeasuredLog",
    "Measurement",
    "NotHypervisor",
    "PolicyRound",
    "PollRequest",
    "PoolMove",
    "Proposal",
    "ProposalState",
    "Publication",
    "PublicationState",
    "Quoted",
    "RegisterLog",
    "Registering",
    "SchedulerAsked",
    "Server",
    "SignedSet",
    "StakeEnding",
    "StakeInterval",
    "TraitHold",
    "TraitIntent",
    "UnmatchedHost",
    "WhitelistReading",
    "Whitelisted",
]
