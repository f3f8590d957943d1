// What a superchip's firmware says of its GPU: where the memory is that CPU and GPU share. Two numbers in the _DSD of the
// function behind the first root port of the guest (slot 4: Guests/library/guest.bash). MEMORY_BASE and MEMORY_SIZE are
// given to the compiler.
// Source: nvgrace_gpu_fetch_memory_property of Linux (drivers/vfio/pci/nvgrace-gpu/main.c); ACPI 6.5, 6.2.5; the UUID is
// that of device properties.
DefinitionBlock ("", "SSDT", 2, "DOORBL", "GPUMEM", 0x00000001)
{
    External (\_SB.PCI0.S20.S00, DeviceObj)

    Scope (\_SB.PCI0.S20.S00)
    {
        Name (_DSD, Package ()
        {
            ToUUID ("daffd814-6eba-4d8c-8a91-bc9bbf4aa301"),
            Package ()
            {
                Package () { "nvidia,gpu-mem-base-pa", MEMORY_BASE },
                Package () { "nvidia,gpu-mem-size", MEMORY_SIZE }
            }
        })
    }
}
