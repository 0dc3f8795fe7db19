"""The rules: what a host measured, against what people approved.

Pure: no Django, no network, no clock. Times and values come in as parameters, results go out.
Vocabulary: RFC 9334 (evidence, appraisal, reference values, attestation results).
"""
