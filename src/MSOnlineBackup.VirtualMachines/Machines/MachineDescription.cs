using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MSOnlineBackup.VirtualMachines.Machines;

/// <summary>What a recovery point of a machine says of it, in <c>machine.json</c>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uuid">Its UUID; null where it has none.</param>
/// <param name="Hypervisor">What it ran under.</param>
/// <param name="Disks">The disks in the point.</param>
/// <param name="LeftOut">The names of the disks that were left out.</param>
public sealed record MachineDescription(string Name, string? Uuid, string Hypervisor, IReadOnlyList<MachineDisk> Disks, IReadOnlyList<string> LeftOut)
{
    /// <summary>The name of its file.</summary>
    public const string FileName = "machine.json";

    /// <summary>The version of the form of this file.</summary>
    public int Version { get; init; } = 1;

    /// <summary>What it is made of, beside its disks; null where nothing is known, as in points of earlier versions.</summary>
    public MachineHardware? Hardware { get; init; }

    /// <summary>The file of a disk in a point: <c>disks/vda.raw</c>. What in a name is neither a letter, a digit, a point, '-' nor '_' is written as '%' and its two digits, for a file's name says where a disk is found again.</summary>
    public static string FileOf(string disk)
    {
        var text = new StringBuilder("disks/");
        foreach (byte each in Encoding.UTF8.GetBytes(disk))
        {
            bool isPlain = char.IsAsciiLetterOrDigit((char)each) || each is (byte)'-' or (byte)'_' || (each == '.' && text.Length > "disks/".Length);
            text.Append(isPlain ? ((char)each).ToString() : "%" + each.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.Append(".raw").ToString();
    }

    /// <summary>As it stands in the file.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, MachineJson.Default.MachineDescription);

    /// <summary>Reads such a file; null where it is none.</summary>
    public static MachineDescription? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, MachineJson.Default.MachineDescription) is { Version: 1, Name: not null, Hypervisor: not null, Disks: { } disks, LeftOut: not null } read && disks.All(disk => disk is { Name: not null, File: not null })
                ? read
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MachineDescription))]
internal sealed partial class MachineJson : JsonSerializerContext;
