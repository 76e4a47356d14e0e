"""Certificates: the claim that a release fits together, with a proof that others can check.

`build` writes the proof from the release graph. `verify` checks one, and shares no code with `build`: it
needs no solver, no network and no release, only the file.
"""

from cuvee.graph.certificate.build import CertificateInputs, build_certificate
from cuvee.graph.certificate.verify_certificate import VerifiedCertificate, verify_certificate

__all__ = ["CertificateInputs", "VerifiedCertificate", "build_certificate", "verify_certificate"]
