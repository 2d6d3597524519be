// lwIP's SNTP client names it, for debug messages alone.
// SPDX-License-Identifier: MIT
#pragma once
