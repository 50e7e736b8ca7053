using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.VirtualMachines.Machines;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>A disk of a machine that runs from a recovery point.</summary>
/// <param name="Name">What it is called, in the point as in the machine.</param>
/// <param name="Path">The full path of its file in the point.</param>
/// <param name="Image">The name of its image in the machine's folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Serial">The serial number that the guest sees; null for none.</param>
/// <param name="IsReadOnly">Whether the guest cannot write to it.</param>
public sealed record InstantDisk(string Name, string Path, string Image, long Bytes, string? Serial, bool IsReadOnly)
{
    /// <summary>As it is in a point.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="source">The source of the point that is the machine.</param>
    internal static InstantDisk Of(MachineDisk disk, string source)
    {
        string file = MachineDescription.FileOf(disk.Name);
        return new InstantDisk(disk.Name, $"{source}/{disk.File}", System.IO.Path.GetFileNameWithoutExtension(file) + ".qcow2", disk.Bytes, disk.Serial, disk.IsReadOnly);
    }
}

/// <summary>What is on record of a machine that runs from a recovery point, in its folder.</summary>
/// <param name="Version">1.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Machine">The machine that was backed up.</param>
/// <param name="PointId">The recovery point's session.</param>
/// <param name="Disks">Its disks.</param>
/// <param name="IsWhole">Whether its images have all, and need no vault.</param>
public sealed record InstantRecord(int Version, string Name, string Machine, string PointId, IReadOnlyList<InstantDisk> Disks, bool IsWhole)
{
    /// <summary>The version that is written, and the only one that is read.</summary>
    public const int Current = 1;

    internal byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, InstantJson.Default.InstantRecord);

    /// <summary>Reads such a file; null where it is none.</summary>
    internal static InstantRecord? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, InstantJson.Default.InstantRecord) is { Version: Current, Name: not null, PointId: not null, Disks: { } disks } read
                && disks.All(disk => disk is { Name: not null, Path: not null, Image: not null } && disk.Image == Path.GetFileName(disk.Image)) ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(InstantRecord))]
internal sealed partial class InstantJson : JsonSerializerContext;
