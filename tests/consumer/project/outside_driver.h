// What the outside driver counted.
// SPDX-License-Identifier: MIT
#pragma once

extern int outside_driver_offers;
