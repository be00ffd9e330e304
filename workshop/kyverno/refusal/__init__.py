"""Why a policy itself is refused: by its CRD, strictly decoded, by Kyverno's webhook, by the API server."""
