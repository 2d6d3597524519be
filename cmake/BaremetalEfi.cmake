# baremetal_make_efi: an EFI file from an image, signed when the target has a key.
# SPDX-License-Identifier: MIT

cmake_policy(VERSION 3.25) # the project that includes this may ask for less

include_guard(GLOBAL)

set_property(GLOBAL PROPERTY BAREMETAL_UEFI_FOLDER "${baremetal_libc_root}/uefi") # of the package

# baremetal_make_efi(<target> <output> <image>): the rule that makes the file <output> of the image file that <target> builds. The target's
# properties BAREMETAL_SIGN_KEY and BAREMETAL_SIGN_CERT name a key and its certificate, which are only read; BAREMETAL_CMDLINE_OPEN lets
# other command lines than the image's count under Secure Boot.
function(baremetal_make_efi target output image)
    get_property(tools GLOBAL PROPERTY BAREMETAL_TOOLS_FOLDER)
    get_property(python GLOBAL PROPERTY BAREMETAL_PYTHON)
    get_property(folder GLOBAL PROPERTY BAREMETAL_UEFI_FOLDER)
    get_target_property(key ${target} BAREMETAL_SIGN_KEY)
    get_target_property(certificate ${target} BAREMETAL_SIGN_CERT)
    set(loader "${folder}/boot.elf")
    if(TARGET baremetal_uefi_boot)
        set(loader "$<TARGET_FILE:baremetal_uefi_boot>")
    endif()
    set(files ${target} "${image}" "${loader}" "${tools}/make-efi" "${tools}/baremetal_tools/efi.py" "${tools}/baremetal_tools/elf.py")
    set(signature)
    if(key OR certificate)
        if(NOT key OR NOT certificate)
            message(FATAL_ERROR "baremetal_add_image(${target}): SIGN_KEY and SIGN_CERT go together; give both.")
        endif()
        cmake_path(IS_PREFIX CMAKE_BINARY_DIR "${key}" NORMALIZE inside)
        if(inside)
            message(FATAL_ERROR "baremetal_add_image(${target}): the key ${key} lies in the build folder, where it gets lost or copied; "
                "keep it elsewhere.")
        endif()
        set(signature --key "${key}" --cert "${certificate}")
        list(APPEND files "${key}" "${certificate}")
    endif()
    get_target_property(open ${target} BAREMETAL_CMDLINE_OPEN)
    if(open)
        list(APPEND signature --open)
    endif()
    add_custom_command(OUTPUT "${output}"
        COMMAND ${python} "${tools}/make-efi" "${loader}" "${output}" --image "${image}" ${signature}
        DEPENDS ${files}
        COMMENT "Making the EFI file of ${target}" VERBATIM)
endfunction()
