"""Certificates: the claim that a release fits together, with a proof that others can verify.

`build_certificate` builds the proof from the release graph. `verify_certificate` derives it again from the
file's records: it needs no solver, no network and no release.
"""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.graph.certificate.build import build_certificate
    from cuvee.graph.certificate.certificate_verifier import (
        VerifiedCertificate,
        input_lines,
        verify_certificate,
    )
    from cuvee.graph.certificate.model import (
        Certificate,
        CertificateInputs,
        CertifiedRecord,
        ComparedInput,
        InputState,
    )

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
__getattr__ = lazy_names(
    __name__,
    {
        "build": ("build_certificate",),
        "model": ("Certificate", "CertificateInputs", "CertifiedRecord", "ComparedInput", "InputState"),
        "certificate_verifier": ("VerifiedCertificate", "input_lines", "verify_certificate"),
    },
)
