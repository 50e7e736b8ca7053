using System.Globalization;
using MSOnlineBackup.VirtualMachines.Changes;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>The names of what a backup makes in a machine, by the number of the disk: by them what a killed backup has left is found. A name of a node has 31 characters at most.</summary>
/// <param name="Index">The number of the disk, from 0.</param>
internal readonly record struct QemuNames(int Index)
{
    private const string TopPrefix = ChangeRecord.Prefix + "top-";
    private const string FilePrefix = ChangeRecord.Prefix + "file-";
    private const string NewPrefix = ChangeRecord.Prefix + "new-";
    private const string ReadPrefix = ChangeRecord.Prefix + "read-";

    /// <summary>The node through which the guest has the disk for as long as the backup lasts.</summary>
    public string Top => TopPrefix + Number;

    /// <summary>The filter that keeps what the guest is about to overwrite.</summary>
    public string Keeper => $"{ChangeRecord.Prefix}keep-{Number}";

    /// <summary>The node of the file into which it is kept.</summary>
    public string File => FilePrefix + Number;

    /// <summary>The node of the image into which it is kept.</summary>
    public string Scratch => $"{ChangeRecord.Prefix}scratch-{Number}";

    /// <summary>The node that has the disk as it was at the moment.</summary>
    public string Moment => $"{ChangeRecord.Prefix}moment-{Number}";

    /// <summary>What is served over NBD, and the name by which it is asked for.</summary>
    public string Export => $"{ChangeRecord.Prefix}disk-{Number}";

    /// <summary>The bitmap of what is written since shortly before the moment.</summary>
    public string NewBitmap => NewPrefix + Number;

    /// <summary>The bitmap of what was written since the last backup up to the moment, and a little later.</summary>
    public string ReadBitmap => ReadPrefix + Number;

    private string Number => Index.ToString(CultureInfo.InvariantCulture);

    /// <summary>The job that makes an image; one at a time.</summary>
    public static string Job => ChangeRecord.Prefix + "create";

    /// <summary>The disk whose top node has a name; null where the name is none of one.</summary>
    public static QemuNames? OfTop(string node) => Read(node, TopPrefix);

    /// <summary>The disk whose scratch file has a node of a name; null where the name is none of one.</summary>
    public static QemuNames? OfFile(string node) => Read(node, FilePrefix);

    /// <summary>Whether a bitmap is one that lasts no longer than a backup.</summary>
    public static bool IsOfRun(string bitmap) => Read(bitmap, NewPrefix) is not null || Read(bitmap, ReadPrefix) is not null;

    private static QemuNames? Read(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? new QemuNames(index) : null;
}
