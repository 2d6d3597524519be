// Stand-in for lwIP: nothing of it is used here.
// SPDX-License-Identifier: MIT
#pragma once
