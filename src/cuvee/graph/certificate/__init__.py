"""Certificates: the claim that a release fits together, with a proof that others can verify.

`build_certificate` builds the proof from the release graph. `verify_certificate` derives it again from the
file's records: it needs no solver, no network and no release.
"""

from cuvee.graph.certificate.build import build_certificate
from cuvee.graph.certificate.model import (
    Certificate,
    CertificateInputs,
    CertifiedRecord,
    ComparedInput,
    InputState,
)
from cuvee.graph.certificate.verify_certificate import VerifiedCertificate, input_lines, verify_certificate

__all__ = [
    "Certificate",
    "CertificateInputs",
    "CertifiedRecord",
    "ComparedInput",
    "InputState",
    "VerifiedCertificate",
    "build_certificate",
    "input_lines",
    "verify_certificate",
]
