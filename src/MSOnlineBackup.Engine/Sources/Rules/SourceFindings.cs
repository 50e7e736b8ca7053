using MSOnlineBackup.Platform.Volumes;

namespace MSOnlineBackup.Engine.Sources.Rules;

/// <summary>Something about a source.</summary>
/// <param name="Kind">What.</param>
/// <param name="Text">What it is, and why that matters where it is taken: "is held in memory (tmpfs): …".</param>
internal sealed record SourceFinding(SourceKind Kind, string Text);

/// <summary>What a description of a volume says of sources on it. Nothing is looked at.</summary>
internal static class SourceFindings
{
    /// <summary>Folders of services that replicate: copies in transit, and what was replaced.</summary>
    public static IReadOnlyList<string> ServiceFolders { get; } = ["DfsrPrivate", ".glusterfs", ".stversions"];

    // What disks that live and die with a virtual machine call themselves: Amazon, Azure, Google.
    private static readonly string[] _temporaryModels = ["Amazon EC2 NVMe Instance Storage", "Microsoft NVMe Direct Disk", "Microsoft NVMe Direct Disk v2", "EphemeralDisk", "nvme_card"];

    /// <summary>All that is to be said of a volume.</summary>
    public static IReadOnlyList<SourceFinding> Of(VolumeDescription volume)
    {
        var findings = new List<SourceFinding>();
        string name = volume.FileSystem is { } fileSystem ? $" ({fileSystem})" : "";
        HashSet<SourceKind> kinds = [.. volume.FileSystem is null ? [] : FileSystemKinds.Of(volume.FileSystem)];
        Add(SourceKind.Memory, volume.IsMemory, $"is held in memory{name}: it is empty after a restart, and so is the next backup of it");
        Add(
            SourceKind.Temporary,
            volume.IsMarkedTemporary || volume.DiskModels.Any(model => _temporaryModels.Contains(model, StringComparer.OrdinalIgnoreCase)),
            "is on a temporary disk: the cloud gives the machine an empty one when it is moved, stopped or repaired");
        Add(
            SourceKind.Network,
            volume.IsRemote,
            volume.FileSystem is { } program && FileSystemKinds.IsProgram(program)
                ? $"is on a file system that a program makes up{name}, perhaps of another machine's files"
                : $"is on a network share{name}: back it up on the machine that it belongs to");
        Add(SourceKind.Cluster, false, $"is on a volume that several machines share{name}: others write to it while it is read");
        Add(
            SourceKind.Replicated,
            volume.Devices.Any(device => device.StartsWith("drbd", StringComparison.Ordinal)),
            $"is on a replicated volume{name}: back it up on one of the machines only");
        Add(
            SourceKind.Container,
            false,
            $"is in a container's own layer{name}, which disappears with the container. Back up the volume that is mounted into it");
        Add(SourceKind.Optical, volume.IsOptical, "is on an optical medium");
        Add(SourceKind.Removable, volume is { IsRemovable: true, IsOptical: false }, "is on removable media, which may be away when the next backup runs");
        Add(SourceKind.ReadOnly, volume.IsReadOnly, $"is on a volume that is read-only{name}");
        return findings;

        void Add(SourceKind kind, bool isTold, string text)
        {
            if (isTold || kinds.Contains(kind))
            {
                findings.Add(new SourceFinding(kind, text));
            }
        }
    }

    /// <summary>What the name of a folder in a source's path, or in the source, says.</summary>
    /// <param name="folder">One of <see cref="ServiceFolders"/>.</param>
    /// <param name="isLeftOut">Whether it is left out by the rules of the backup.</param>
    public static SourceFinding OfServiceFolder(string folder, bool isLeftOut) => new(
        SourceKind.Replicated,
        isLeftOut
            ? $"contains '{folder}', which a service uses for copies in transit: it is left out"
            : $"contains '{folder}', which a service uses for copies in transit. Leave it out: New-OBFileSpec '{folder}' -Exclude, or --exclude {folder}");
}
