"""A JSON service over HTTP: asks, tries again where that can help, and says plainly what went wrong."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})  # states of the service that may pass by themselves


@dataclass(frozen=True)
class Service:
    """Where the service is, how often to try, and the first pause between two tries."""

    address: str
    attempts: int
    pause_seconds: float
    timeout_seconds: float = 120.0

    def get(self, path: str) -> dict:
        """The parsed answer to GET `path`."""
        return self._tried(path, None)[1]

    def post(self, path: str, body: dict) -> tuple[bytes, dict]:
        """The answer to POST `path` as it came, and parsed."""
        return self._tried(path, json.dumps(body).encode())

    def _tried(self, path: str, body: bytes | None) -> tuple[bytes, dict]:
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.pause_seconds * 2 ** (attempt - 1))
            outcome = self._once(path, body)
            if not isinstance(outcome, str):
                content, answer = outcome
                if not isinstance(answer, dict):
                    raise unexpected(self, path, "a JSON object", type(answer).__name__)
                return content, answer
        raise unexpected(self, path, "an answer", f"{outcome}, {self.attempts} times")

    def _once(self, path: str, body: bytes | None) -> tuple[bytes, object] | str:
        """The answer as it came and parsed, or in words what came instead and may pass by itself."""
        try:
            content = self._asked(path, body)
            return content, json.loads(content)
        except urllib.error.HTTPError as error:
            error.close()
            came = f"HTTP {error.code} {error.reason}"
            if error.code not in _PASSING:
                raise unexpected(self, path, "an answer", came) from error
            return came
        except json.JSONDecodeError as error:
            return f"text that is no JSON ({error.msg} at character {error.pos})"
        except UnicodeDecodeError:
            return "bytes that are no UTF-8"
        except http.client.HTTPException as error:
            return f"a broken answer ({type(error).__name__})"
        except ValueError as error:
            raise unexpected(self, path, "an address like https://api.gdc.cancer.gov", str(error)) from error
        except OSError as error:
            return f"no connection ({getattr(error, 'reason', error)})"

    def _asked(self, path: str, body: bytes | None) -> bytes:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=self.timeout_seconds) as response:
            return response.read()


def unexpected(service: Service, path: str, expected: str, came: str) -> ConnectionError:
    """The one error of this file: who was asked, what was expected, what came, what to do."""
    return ConnectionError(
        f"{service.address}{path}: expected {expected}, came {came}; check the network and the address, then run the "
        "same command again; it goes on from the last good page"
    )
