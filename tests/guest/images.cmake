# Tests of whole example images. The soak measures rates, so nothing else runs beside it.
# SPDX-License-Identifier: MIT
add_image_test(http_soak http_server TIMEOUT 300 ALONE)
add_image_test(http_clients http_server TIMEOUT 300)
add_image_test(net_dhcp http_server TIMEOUT 300)
add_image_test(net_ipv6 http_server TIMEOUT 120)
add_image_test(net_faults echo_server TIMEOUT 600 ARGUMENTS 7)
add_image_test(grub hello TIMEOUT 180 ARGUMENTS Hello)
add_image_test(http_protocol http_server TIMEOUT 300)
add_image_test(http_memory http_server TIMEOUT 120)
add_image_test(net_isn http_server TIMEOUT 60)
add_image_test(http_cores http_server TIMEOUT 180)
