# Linux's own nvgrace driver, as Debian has its source, on our model of the GPU; and our driver on the same model. One
# program asks both the same: every row of its table has the same answer, or is in `differences-*` as a defect by name.
# about: Linux's own nvgrace driver and ours, row by row
# speed: quick
# limit: 240
# inside: nvgrace-trial
# needs: acpi-table
# module: drivers/vfio/pci/nvgrace-gpu NVGRACE_GPU_VFIO_PCI=m
# shellcheck disable=SC2154 # scenario.bash and machine.bash set what is used here

# The GPU's memory is a part of the guest's that its kernel leaves alone. It lies below 4 GiB, because QEMU's ACPI has 32
# bits for a number, and the guest's kernel needs some below and behind it.
base=0x0A000000
bring nvgrace-trial

# compare_drivers NAME PART SIZE [SECTION]...: what may differ is in differences-NAME.
compare_drivers() {
    local name=$1 part=$2 size=$3
    shift 3
    "$DOORBELL_STATIC/nvgrace-trial" "$part" "$base" "$size" "$@" > "$keep/$name.ours" ||
        broken "our driver: $(tail -n 1 "$keep/$name.ours")"
    mkdir "$work/$name"
    cp "$keep/$name.ours" "$work/$name/ours"
    cp "$suite_folder/differences-$name" "$work/$name/differences"
    "$guests/tools/acpi-table" "$suite_folder/memory-properties.asl" "$work/$name/table.aml" \
        "MEMORY_BASE=$base" "MEMORY_SIZE=$size" || broken "the ACPI table"
    connect "$name" -- --bare --part "$part" --base "$base" --memory "$size"
    guest "$name" --label "$name" --no-driver --iommu --card "$name" "${brought[@]}" --memory 2815M \
        --append "memmap=$size\$$base" --qemu -acpitable --qemu "file=$work/$name/table.aml" \
        --file "$cache/module-nvgrace-gpu/$which/nvgrace-gpu-vfio-pci.ko" \
        --file "$work/$name/ours" --file "$work/$name/differences" --timeout 100 differential "$part" "$@"
    await_guests
}

# Both regions end inside their BARs; a size that Linux makes a BAR of twice the size for; a part that reserves nothing.
compare_drivers edges 2342 0xA0001000
compare_drivers doubled 2342 0x90000000 "region info" "BAR registers"
compare_drivers later 2941 0xA0001000
