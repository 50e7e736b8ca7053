using System.Text;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>A script that starts a machine under plain QEMU. A pure function.</summary>
internal static class StartScript
{
    /// <summary>Writes it.</summary>
    public static string Write(NewMachine machine)
    {
        var lines = new List<string>
        {
            $"-name {Quote(machine.Name)} -uuid {machine.Uuid}",
            $"-machine {machine.Type} -accel kvm -accel tcg",
            $"-m {machine.Memory} -smp {machine.Processors}",
            machine.Architecture is "x86_64" or "i386" ? "-nodefaults -vga std" : "-nodefaults",
        };
        if (machine.IsUefi)
        {
            lines.Add($"-drive {Quote($"if=pflash,unit=0,readonly=on,format=raw,file={Option(machine.FirmwareFile)}")}");
            if (machine.HasVariables)
            {
                lines.Add($"-drive {Quote($"if=pflash,unit=1,format=raw,file={Option(machine.VariablesFile)}")}");
            }
        }

        if (machine.Description.Disks.Any(disk => machine.BusOf(disk) == "scsi"))
        {
            lines.Add("-device virtio-scsi-pci,id=scsi0");
        }

        foreach ((int index, MachineDisk disk) in machine.Description.Disks.Index())
        {
            string serial = disk.Serial is { } text && !text.Any(char.IsControl) ? $",serial={Option(text)}" : "";
            string device = machine.BusOf(disk) switch
            {
                "scsi" => "scsi-hd,bus=scsi0.0",
                "ide" or "sata" => "ide-hd",
                _ => "virtio-blk-pci",
            };
            string readOnly = disk.IsReadOnly ? ",readonly=on" : "";
            lines.Add($"-drive {Quote($"if=none,id=disk{index},format={machine.Format},discard=unmap,file={Option(machine.FileOf(disk))}{readOnly}")}");
            lines.Add($"-device {Quote($"{device},drive=disk{index},bootindex={index + 1}{serial}")}");
        }

        if (machine.Cards.Count == 0)
        {
            lines.Add("-nic none");
        }

        foreach ((int index, string card) in machine.Cards.Index())
        {
            string? network = machine.Network == MachineNetwork.None ? null : machine.Network.Bridge is { } bridge ? $"bridge,id=net{index},br={bridge}" : $"user,id=net{index}";
            if (network is not null)
            {
                lines.Add($"-netdev {network}");
            }

            lines.Add($"-device {card},mac={machine.Addresses[index]}{(network is null ? "" : $",netdev=net{index}")}");
        }

        var script = new StringBuilder("#!/bin/sh\n");
        script.Append("# Starts the machine under QEMU. What is given to this script goes to QEMU: ./").Append(machine.Name).Append(".sh -display none -S\n");
        script.Append("cd \"$(dirname \"$0\")\" || exit 1\n");
        script.Append("exec ").Append("qemu-system-").Append(machine.Architecture);
        foreach (string line in lines)
        {
            script.Append(" \\\n  ").Append(line);
        }

        return script.Append(" \\\n  \"$@\"\n").ToString();
    }

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    // A comma in a value is written twice.
    private static string Option(string text) => text.Replace(",", ",,", StringComparison.Ordinal);
}
