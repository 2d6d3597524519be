// In front of each file of the network: what it keeps between calls lies in sections of its own, so that each
// script finds it as at the start (machine.c).
// SPDX-License-Identifier: MIT
#pragma once
#pragma clang section bss = "network_bss" data = "network_data"
