// Stand-in for lwIP: nothing of it is used.
// SPDX-License-Identifier: MIT
#pragma once
