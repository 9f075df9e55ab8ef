"""curl over BoringSSL, with the handshake that Chrome has: peer_curl.py URL CA [CERT KEY], and peer_curl.py version."""

import sys

import curl_cffi

if sys.argv[1] == "version":
    words = curl_cffi.Curl().version().decode().split()
    print(words[0].split("/")[1].split("-")[0], "(BoringSSL)" if "BoringSSL" in words else words)
else:
    url, ca, *pair = sys.argv[1:]
    try:
        got = curl_cffi.requests.get(url, impersonate="chrome", verify=ca, cert=tuple(pair) or None, http_version="v1")
    except curl_cffi.requests.exceptions.RequestException as error:
        sys.exit(f"failed {error}")
    sys.stdout.buffer.write(got.content)
