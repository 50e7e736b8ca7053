using System.Globalization;
using System.Security.Cryptography;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Restores;

/// <summary>A machine that is made of a recovery point, as its definitions tell of it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its UUID.</param>
/// <param name="Folder">The folder that it is in, in full.</param>
/// <param name="Format">The format of its images.</param>
/// <param name="Network">What its cards are connected to.</param>
/// <param name="Description">The machine that it is made of.</param>
/// <param name="Addresses">The MAC addresses of its cards, one for each.</param>
/// <param name="HasVariables">Whether the variables of UEFI are those of the recovery point.</param>
internal sealed record NewMachine(
    string Name, string Uuid, string Folder, string Format, MachineNetwork Network, MachineDescription Description, IReadOnlyList<string> Addresses, bool HasVariables)
{
    private const long UsualMemory = 2L << 30;
    private const string UsualCard = "virtio-net-pci";
    private const string UsualFirmware = "/usr/share/OVMF/OVMF_CODE.fd";

    /// <summary>Its hardware, with what is not known as it usually is.</summary>
    public MachineHardware Hardware => Description.Hardware ?? new MachineHardware();

    /// <summary>The architecture of its processors.</summary>
    public string Architecture => IsWord(Hardware.Architecture) ? Hardware.Architecture! : "x86_64";

    /// <summary>Its type.</summary>
    public string Type => IsWord(Hardware.Machine) ? Hardware.Machine! : Hardware.Firmware == FirmwareKind.Uefi ? "q35" : "pc";

    /// <summary>How many processors.</summary>
    public int Processors => Hardware.Processors is > 0 and { } known ? known : 1;

    /// <summary>Its memory, in MiB.</summary>
    public long Memory => Math.Max(1, (Hardware.MemoryBytes ?? UsualMemory) >> 20);

    /// <summary>Whether UEFI starts it.</summary>
    public bool IsUefi => Hardware.Firmware == FirmwareKind.Uefi || (Hardware.Firmware is null && HasVariables);

    /// <summary>The file of UEFI.</summary>
    public string FirmwareFile => Hardware.FirmwareFile is { } file && file.StartsWith('/') ? file : UsualFirmware;

    /// <summary>The file of the variables of UEFI, in its folder.</summary>
    public string VariablesFile => $"{Name}.{MachineHardware.VariablesFile}";

    /// <summary>The kinds of its cards.</summary>
    public IReadOnlyList<string> Cards => [.. (Hardware.Cards ?? [new MachineCard(UsualCard, null)]).Select(card => IsWord(card.Device) ? card.Device : UsualCard)];

    /// <summary>The name of the image of a disk, in its folder.</summary>
    public string FileOf(MachineDisk disk) => $"{Name}-{disk.File["disks/".Length..^".raw".Length]}.{Format}";

    /// <summary>The bus of a disk, by the kind of its device.</summary>
    public string BusOf(MachineDisk disk) => Hardware.DiskDevices?.GetValueOrDefault(disk.Name) switch
    {
        { } kind when kind.StartsWith("scsi-", StringComparison.Ordinal) => "scsi",
        { } kind when kind.StartsWith("ide-", StringComparison.Ordinal) => Type.Contains("q35", StringComparison.Ordinal) ? "sata" : "ide",
        _ => "virtio",
    };

    /// <summary>A new UUID.</summary>
    public static string CreateUuid()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    /// <summary>A new MAC address, of those that QEMU and libvirt give.</summary>
    public static string CreateAddress() => "52:54:00:" + string.Join(':', RandomNumberGenerator.GetBytes(3).Select(value => value.ToString("x2", CultureInfo.InvariantCulture)));

    // What was recorded goes into commands and definitions.
    private static bool IsWord(string? text) => text is { Length: > 0 and <= 64 } && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
