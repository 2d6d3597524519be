# The targets that programs link: baremetal::kernel, baremetal::net, baremetal::drivers. The library's own build and the
# installed package both make them here from the same archives, so they mean the same either way.
# SPDX-License-Identifier: MIT
#
# Wants: baremetal_include (public headers), baremetal_libc_root (holds picolibc/, newlib/ and musl/), baremetal_libc_include and
# baremetal_net_include (lists of folders that come before the C library's headers), baremetal_link_script, and the
# archives as targets baremetal::archive_<name>.

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

# The C library of the program that is being compiled or linked, as a generator expression.
set(baremetal_libc_of_target "$<IF:$<BOOL:$<TARGET_PROPERTY:BAREMETAL_LIBC>>,$<TARGET_PROPERTY:BAREMETAL_LIBC>,${BAREMETAL_LIBC}>")

# Link options of every image.
function(baremetal_link_options result)
    set(${result} ${BAREMETAL_LINK_FLAGS} -Wl,-T,${baremetal_link_script}
        $<$<C_COMPILER_ID:Clang>:-Wno-unused-command-line-argument> PARENT_SCOPE)
endfunction()

# baremetal::kernel: kernel, boot, C library, serial console.
function(baremetal_make_kernel)
    baremetal_link_options(link_options)
    add_library(baremetal_kernel INTERFACE)
    set(linux "$<STREQUAL:${baremetal_libc_of_target},musl>")
    set(completions ${baremetal_libc_include} ${baremetal_net_include}) # of the other C libraries' headers
    list(TRANSFORM completions REPLACE "(.+)" "$<$<NOT:${linux}>:\\1>")
    target_include_directories(baremetal_kernel SYSTEM INTERFACE "${baremetal_include}" ${completions}
        "${baremetal_libc_root}/${baremetal_libc_of_target}/include" "$<${linux}:${baremetal_net_include}>") # behind musl's own
    # Also for a target whose C library is not that of its project, which the toolchain file goes by.
    target_compile_options(baremetal_kernel INTERFACE "$<$<NOT:${linux}>:${BAREMETAL_NOT_LINUX}>")
    target_compile_definitions(baremetal_kernel INTERFACE $<${linux}:__linux__=1> $<${linux}:__linux=1> $<${linux}:__gnu_linux__=1>)
    target_link_options(baremetal_kernel INTERFACE ${link_options})
    if(BAREMETAL_CHECKS)
        target_compile_definitions(baremetal_kernel INTERFACE BM_CHECKS=1)
    endif()
    set(libc "${baremetal_libc_root}/${baremetal_libc_of_target}/lib")
    target_link_directories(baremetal_kernel INTERFACE "${libc}") # -lm is this one, not the host's
    target_link_libraries(baremetal_kernel INTERFACE
        "$<LINK_GROUP:RESCAN,baremetal::archive_core,baremetal::archive_posix_${baremetal_libc_of_target},${libc}/libc.a,${libc}/libm.a,-lgcc>")
    set_property(TARGET baremetal_kernel APPEND PROPERTY INTERFACE_LINK_DEPENDS "${baremetal_link_script}")
    add_library(baremetal::kernel ALIAS baremetal_kernel)
    baremetal_make_printf()
    baremetal_make_heaps()
    baremetal_make_frame_cache()
    baremetal_make_files()
    baremetal_make_run()
    baremetal_make_screen_console()
    baremetal_make_exokernel()
    baremetal_make_nmi()
    baremetal_make_executable()
    baremetal_make_trace_calls()
    baremetal_make_profile()
endfunction()

# baremetal_add_part(<name> [BRINGS <symbol>…] [OPTIONS <link option>…] ON <library>…): baremetal::<name>, which programs link by name. The
# symbols bring what is its own out of the archives; it stands on the libraries.
function(baremetal_add_part name)
    cmake_parse_arguments(part "" "" "BRINGS;OPTIONS;ON" ${ARGN})
    list(TRANSFORM part_BRINGS PREPEND LINKER:-u,)
    add_library(baremetal_${name} INTERFACE)
    target_link_options(baremetal_${name} INTERFACE ${part_BRINGS} ${part_OPTIONS})
    target_link_libraries(baremetal_${name} INTERFACE ${part_ON})
    add_library(baremetal::${name} ALIAS baremetal_${name})
endfunction()

# baremetal::tmpfs: files that can be written, in memory, above those of the image. baremetal::devfs: /dev, too, and with musl what
# baremetal::procfs is: /proc, /sys and /etc. Linux' calls always stand on the whole file service and have /dev; there tmpfs says that
# the root may be changed, and no more.
function(baremetal_make_files)
    set(posix "$<NOT:$<STREQUAL:${baremetal_libc_of_target},musl>>")
    baremetal_add_part(tmpfs BRINGS bm_files_writable bm_files_linked # with musl there is no such name
        ON $<${posix}:baremetal::archive_files_${baremetal_libc_of_target}> baremetal_kernel)
    baremetal_add_part(devfs BRINGS bm_devfs_mount bm_device_open ON baremetal_tmpfs)
    # Archives that the loader placed in memory.
    baremetal_add_part(initrd BRINGS bm_initrd_unpack_all ON baremetal_tmpfs)
    baremetal_add_part(procfs OPTIONS "$<$<NOT:${posix}>:LINKER:-u,bm_procfs_mount>" ON baremetal_kernel)
    target_link_libraries(baremetal_devfs INTERFACE baremetal_procfs)
endfunction()

# baremetal::run: what baremetal-run hands on beside the console: arguments of any length, and standard error output by itself.
function(baremetal_make_run)
    set(wraps bm_arguments_make bm_console_write_line bm_console_write_unlocked)
    list(TRANSFORM wraps PREPEND LINKER:--wrap=)
    baremetal_add_part(run BRINGS __wrap_bm_arguments_make __wrap_bm_console_write_line OPTIONS ${wraps} ON baremetal_kernel)
endfunction()

# baremetal::screen_console: the console on the first screen that a linked driver finds.
function(baremetal_make_screen_console)
    baremetal_add_part(screen_console BRINGS bm_screen_console_begin ON baremetal_kernel)
endfunction()

# baremetal::exokernel: BareMetal's C interface. The page that its programs read is made before main.
function(baremetal_make_exokernel)
    baremetal_add_part(exokernel BRINGS bm_exokernel_screen ON baremetal_kernel)
    # … and memory and calls at its addresses.
    baremetal_add_part(exokernel_window BRINGS bm_exokernel_window_start ON baremetal_exokernel)
endfunction()

# baremetal::nmi: a non-maskable interrupt from outside shows where every core is, and by the word nmi= ends the machine.
function(baremetal_make_nmi)
    baremetal_add_part(nmi BRINGS bm_nmi_start ON baremetal_kernel)
endfunction()

# baremetal::executable: what starts a Linux executable in the place of main (baremetal_add_linux_program). Its steps of boot come before
# those of the C library. All calls come with it.
function(baremetal_make_executable)
    baremetal_add_part(executable BRINGS bm_program_start bm_executable_map_text
        ON baremetal::archive_executable_musl baremetal_kernel)
endfunction()

# baremetal::trace_calls: the word trace=calls shows Linux' calls on the console, of programs with musl and of Linux programs as they are.
function(baremetal_make_trace_calls)
    baremetal_add_part(trace_calls ON baremetal::archive_trace_musl baremetal_kernel)
endfunction()

# baremetal::profile: the word profile=N samples all cores N times a second; the stacks are written at the end.
function(baremetal_make_profile)
    baremetal_add_part(profile BRINGS bm_profile_program OPTIONS LINKER:--wrap=bm_net_finish ON baremetal_kernel)
endfunction()

# The heaps of libbaremetal/heap, by the name of file, target and test.
set(baremetal_heaps malloc_bump malloc_list malloc_block mimalloc)

# baremetal::malloc_bump …: the heap that a program links in place of the C library's. Two in one program are refused: by
# baremetal_check_heap when the program names them itself, and by CMake, since the property BAREMETAL_HEAP must agree, when they come
# with libraries.
function(baremetal_make_heaps)
    foreach(heap IN LISTS baremetal_heaps)
        set(archive baremetal::archive_heap_${heap})
        if(heap STREQUAL "mimalloc") # uses the C library
            set(archive baremetal::archive_heap_${heap}_${baremetal_libc_of_target})
        endif()
        add_library(baremetal_${heap} INTERFACE)
        target_link_options(baremetal_${heap} INTERFACE LINKER:-u,malloc)
        target_link_libraries(baremetal_${heap} INTERFACE
            baremetal::archive_malloc_${baremetal_libc_of_target} ${archive} baremetal_kernel)
        set_target_properties(baremetal_${heap} PROPERTIES INTERFACE_BAREMETAL_HEAP ${heap} COMPATIBLE_INTERFACE_STRING BAREMETAL_HEAP)
        add_library(baremetal::${heap} ALIAS baremetal_${heap})
    endforeach()
endfunction()

# baremetal::frame_cache: a cache of single frames for each core, put in front of the frame allocator by the linker.
function(baremetal_make_frame_cache)
    add_library(baremetal_frame_cache INTERFACE)
    foreach(name allocate allocate_below free free_bytes)
        target_link_options(baremetal_frame_cache INTERFACE LINKER:--wrap=bm_frame_${name} LINKER:-u,__wrap_bm_frame_${name})
    endforeach()
    target_link_libraries(baremetal_frame_cache INTERFACE baremetal::archive_frame_cache baremetal_kernel)
    add_library(baremetal::frame_cache ALIAS baremetal_frame_cache)
endfunction()

# Run at the end of the folder that has the target.
function(baremetal_check_heap target)
    get_target_property(links ${target} LINK_LIBRARIES)
    list(REMOVE_DUPLICATES links)
    list(TRANSFORM links REPLACE "^baremetal::" "")
    set(found)
    foreach(link IN LISTS links)
        if(link IN_LIST baremetal_heaps)
            list(APPEND found "baremetal::${link}")
        endif()
    endforeach()
    list(LENGTH found count)
    if(count GREATER 1)
        list(JOIN found " and " found)
        message(FATAL_ERROR "${target} links ${found}: a program has one heap; choose one of them.")
    endif()
endfunction()

# baremetal::printf_integer: printf and its family without floating point, 7 KB less. Programs choose it by linking it. newlib has
# no such variant under the same names; there the target changes nothing.
function(baremetal_make_printf)
    add_library(baremetal_printf_integer INTERFACE)
    foreach(name vfprintf vfscanf)
        target_link_options(baremetal_printf_integer INTERFACE
            "$<$<STREQUAL:${baremetal_libc_of_target},picolibc>:LINKER:--defsym=${name}=__i_${name}>")
    endforeach()
    add_library(baremetal::printf_integer ALIAS baremetal_printf_integer)
endfunction()

# Archives that call the kernel come before it on the link line, in whatever order a program names them.
function(baremetal_link_kernel)
    foreach(archive IN LISTS ARGV)
        get_target_property(real ${archive} ALIASED_TARGET)
        if(real)
            target_link_libraries(${real} INTERFACE $<BUILD_INTERFACE:baremetal_kernel>)
        else()
            set_property(TARGET ${archive} APPEND PROPERTY INTERFACE_LINK_LIBRARIES baremetal_kernel)
        endif()
    endforeach()
endfunction()

# baremetal::net: lwIP and sockets. Under musl it is the C library that calls them, so that it comes before them, too; behind them stand
# the calls of programs without a network, of the same names.
function(baremetal_make_net)
    add_library(baremetal_net INTERFACE)
    target_link_options(baremetal_net INTERFACE LINKER:-u,bm_net_start
        "$<$<STREQUAL:${baremetal_libc_of_target},musl>:LINKER:-u,bm_linux_name_server>") # before the one that knows none
    target_link_libraries(baremetal_net INTERFACE
        $<$<STREQUAL:${baremetal_libc_of_target},musl>:-lc> baremetal::archive_net_posix_${baremetal_libc_of_target} baremetal::archive_net baremetal_kernel)
    add_library(baremetal::net ALIAS baremetal_net)
    # baremetal::dhcp6: baremetal::net with a client for IPv6 addresses by DHCP, where routers say so; 4 KB more.
    baremetal_add_part(dhcp6 BRINGS bm_net_part_dhcp6 ON baremetal_net)
    # baremetal::sntp: baremetal::net with the date from time servers; 11 KB more, names by DNS among them.
    baremetal_add_part(sntp BRINGS __wrap_bm_net_start OPTIONS LINKER:--wrap=bm_net_start ON baremetal_net)
endfunction()

# baremetal::drivers is all of them, or those of BAREMETAL_DRIVERS; `names` are their words.
function(baremetal_make_drivers names)
    string(REPLACE "," ";" chosen "${BAREMETAL_DRIVERS}")
    foreach(name IN LISTS chosen)
        if(NOT name IN_LIST names)
            list(JOIN names ", " all)
            message(FATAL_ERROR "BAREMETAL_DRIVERS: there is no driver '${name}'; there are ${all}.")
        endif()
    endforeach()
    if(chosen)
        set(names ${chosen})
    endif()
    add_library(baremetal_drivers INTERFACE)
    foreach(name IN LISTS names)
        target_link_libraries(baremetal_drivers INTERFACE baremetal::${name})
    endforeach()
    add_library(baremetal::drivers ALIAS baremetal_drivers)
    # File systems stand on the whole file service.
    foreach(name IN ITEMS erofs ext4 bmfs virtio_9p)
        get_target_property(real baremetal::${name} ALIASED_TARGET)
        if(real)
            target_link_libraries(${real} INTERFACE $<BUILD_INTERFACE:baremetal_tmpfs>)
        else()
            set_property(TARGET baremetal::${name} APPEND PROPERTY INTERFACE_LINK_LIBRARIES baremetal_tmpfs)
        endif()
    endforeach()
    # baremetal::ext4_write: baremetal::ext4 that is mounted to be written, where its journal and features allow it.
    # With musl the program's end unmounts disks; elsewhere it is wrapped for that.
    set(posix "$<NOT:$<STREQUAL:${baremetal_libc_of_target},musl>>")
    baremetal_add_part(ext4_write BRINGS bm_ext4_writing OPTIONS "$<${posix}:LINKER:-u,__wrap__exit,--wrap=_exit>" ON baremetal::ext4)
    # baremetal::virtio_net_multiqueue: baremetal::virtio_net for stacks that want several queues of a device.
    baremetal_add_part(virtio_net_multiqueue BRINGS bm_virtio_net_pairs_use ON baremetal::virtio_net)
    # baremetal::virtio_net_reset: baremetal::virtio_net that goes on after a reset for which the device asks, and notices that it is gone;
    # in baremetal::drivers unless BAREMETAL_DRIVERS chooses.
    baremetal_add_part(virtio_net_reset BRINGS bm_virtio_net_restart ON baremetal::virtio_net)
    # baremetal::virtio_line: interrupt lines for virtio devices on PCI without MSI-X, in baremetal::drivers unless BAREMETAL_DRIVERS chooses.
    baremetal_add_part(virtio_line BRINGS bm_virtio_line_start bm_pci_line_set ON baremetal::virtio_pci)
    # baremetal::virtio_packed: packed rings for virtio-net and virtio-blk where the device has them; 2.5 KB more.
    set(packed bm_virtio_negotiate)
    foreach(name IN ITEMS create restart add kick take arm disarm abandon)
        list(APPEND packed bm_virtqueue_${name})
    endforeach()
    foreach(name IN ITEMS net_ops net_pair_fill net_pair_poll blk_ops blk_queue_create blk_send blk_request_send blk_slot_free)
        list(APPEND packed bm_virtio_${name})
    endforeach()
    list(TRANSFORM packed PREPEND LINKER:--wrap=)
    baremetal_add_part(virtio_packed OPTIONS ${packed} ON baremetal::virtio_pci)
    if(NOT chosen)
        target_link_libraries(baremetal_drivers INTERFACE baremetal_virtio_net_reset baremetal_virtio_line)
    endif()
endfunction()

# baremetal::net_statistics and baremetal::block_statistics: counters of each network device and disk in the list of statistics.
function(baremetal_make_statistics)
    baremetal_add_part(net_statistics BRINGS bm_netdev_statistics_use ON baremetal_kernel)
    baremetal_add_part(block_statistics BRINGS bm_block_statistics_use ON baremetal_kernel)
endfunction()
