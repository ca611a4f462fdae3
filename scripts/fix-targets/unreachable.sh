#!/usr/bin/env bash
# Whether a log of cargo, pip or npm says that its registry could not be reached (exit code 0), rather than that something is
# wrong with what was asked for.
set -euo pipefail
grep -qiE 'could not resolve|name resolution|getaddrinfo|EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|network is unreachable|failed to connect|could not connect|connection (timed out|refused|reset)|new connection|spurious network error|download of .* failed|proxy' "$1"
