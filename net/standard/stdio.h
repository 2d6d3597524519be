// lwIP includes it for messages that are not compiled: nothing prints.
// SPDX-License-Identifier: MIT
#pragma once
