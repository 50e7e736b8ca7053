using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>Asks QEMU what a machine is made of. What it does not say stays unknown, and is no reason for a backup to fail.</summary>
/// <param name="qemu">The machine.</param>
internal sealed class QemuHardware(QemuCommands qemu)
{
    private const int MostVariableBytes = 64 << 20;

    /// <summary>Asks.</summary>
    /// <param name="disks">Its disks.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What is known, and the variables of UEFI; null where there are none, or they cannot be read from here.</returns>
    public async Task<(MachineHardware Hardware, byte[]? Variables)> ReadAsync(IReadOnlyList<QemuDisk> disks, CancellationToken cancellationToken)
    {
        JsonElement? target = await TryAsync("query-target", cancellationToken).ConfigureAwait(false);
        JsonElement? memory = await TryAsync("query-memory-size-summary", cancellationToken).ConfigureAwait(false);
        JsonElement? processors = await TryAsync("query-cpus-fast", cancellationToken).ConfigureAwait(false);
        string? type = await qemu.TryGetPropertyAsync("/machine", "type", cancellationToken).ConfigureAwait(false);
        var devices = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (QemuDisk disk in disks)
        {
            if (await qemu.TryGetPropertyAsync(disk.Device, "type", cancellationToken).ConfigureAwait(false) is { } kind)
            {
                devices[disk.Name] = kind;
            }
        }

        (FirmwareKind? firmware, string? code, string? variables) = await FindFirmwareAsync(type, cancellationToken).ConfigureAwait(false);
        var hardware = new MachineHardware
        {
            Architecture = target?.Text("arch"),
            Machine = type is not null && type.EndsWith("-machine", StringComparison.Ordinal) ? type[..^"-machine".Length] : type,
            Processors = processors is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0 ? list.GetArrayLength() : null,
            MemoryBytes = memory?.Number("base-memory") is { } fixedMemory ? fixedMemory + (memory?.Number("plugged-memory") ?? 0) : null,
            Firmware = firmware,
            FirmwareFile = code,
            DiskDevices = devices,
            Cards = await ListCardsAsync(cancellationToken).ConfigureAwait(false),
        };
        return (hardware, variables is null ? null : await TryReadAsync(variables, cancellationToken).ConfigureAwait(false));
    }

    private async Task<(FirmwareKind? Kind, string? Code, string? Variables)> FindFirmwareAsync(string? type, CancellationToken cancellationToken)
    {
        bool isFlash = false;
        string? code = null;
        string? variables = null;
        foreach (JsonElement block in (await TryAsync("query-block", cancellationToken).ConfigureAwait(false)).Elements())
        {
            if (block.Text("qdev") is { } device
                && await qemu.TryGetPropertyAsync(device, "type", cancellationToken).ConfigureAwait(false) is "cfi.pflash01" or "cfi.pflash02")
            {
                isFlash = true;
                JsonElement? inserted = block.Member("inserted");
                bool isReadOnly = inserted?.Is("ro") == true;
                (code, variables) = isReadOnly ? (inserted?.Text("file") ?? code, variables) : (code, inserted?.Text("drv") == "raw" ? inserted?.Text("file") : variables);
            }
        }

        // Machines of other architectures start by what is neither.
        bool isPersonalComputer = type is not null && type.StartsWith("pc-", StringComparison.Ordinal);
        return (isFlash ? FirmwareKind.Uefi : isPersonalComputer ? FirmwareKind.Bios : null, code, variables);
    }

    private async Task<IReadOnlyList<MachineCard>> ListCardsAsync(CancellationToken cancellationToken)
    {
        var cards = new List<MachineCard>();
        foreach (string folder in (string[])["/machine/peripheral", "/machine/peripheral-anon"])
        {
            JsonElement? children = await TryAsync("qom-list", cancellationToken, new JsonObject { ["path"] = folder }).ConfigureAwait(false);
            foreach (JsonElement child in children.Elements())
            {
                if (child.Text("name") is { } name && child.Text("type") is { } type && type.StartsWith("child<", StringComparison.Ordinal)
                    && await qemu.TryGetPropertyAsync($"{folder}/{name}", "mac", cancellationToken).ConfigureAwait(false) is { } address)
                {
                    cards.Add(new MachineCard(type["child<".Length..^1], address));
                }
            }
        }

        return cards;
    }

    private async Task<JsonElement?> TryAsync(string command, CancellationToken cancellationToken, JsonObject? arguments = null)
    {
        try
        {
            return await qemu.RunAsync(command, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VirtualMachineCommandFailed)
        {
            return null;
        }
    }

    // QEMU names the file as it sees it, and its account may be another.
    private static async Task<byte[]?> TryReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return new FileInfo(file) is { Exists: true, Length: > 0 and <= MostVariableBytes } ? await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
