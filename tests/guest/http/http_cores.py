#!/usr/bin/env python3
# http_server on several cores, where any idle core serves the network: a short load without a failed request.
# SPDX-License-Identifier: MIT
"""Usage: http_cores.py IMAGE"""

import sys

from harness import judge
from http_soak import ab, wrk
from harness.network import enter_namespace, new_network, serving


def main():
    enter_namespace(required=False)
    for cores in (2, 4):
        with serving(new_network(), sys.argv[1], f"{cores} cores: ", smp=str(cores)) as (_, address):
            wrk(address, 3)
            ab(address, 2000)
            wrk(address, 3)
        print(f"ok: {cores} cores", flush=True)


if __name__ == "__main__":
    sys.exit(judge(main))
