using System.Text.Json;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Qemu;

/// <summary>A node of QEMU's: a layer of what a disk is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Driver">What it is.</param>
/// <param name="File">Its file, as QEMU names it; null for none.</param>
/// <param name="Size">Its size, in bytes; null where QEMU does not say.</param>
/// <param name="IsReadOnly">Whether it cannot be written.</param>
/// <param name="KeepsBitmaps">Whether its image can have bitmaps.</param>
/// <param name="Bitmaps">The bitmaps on it that have names.</param>
internal sealed record QemuNode(string Name, string Driver, string? File, long? Size, bool IsReadOnly, bool KeepsBitmaps, IReadOnlyList<QemuBitmap> Bitmaps)
{
    /// <summary>Reads what QEMU says of one; null where it has no name.</summary>
    public static QemuNode? Read(JsonElement node)
    {
        if (node.Text("node-name") is not { } name)
        {
            return null;
        }

        JsonElement? image = node.Member("image");
        bool isReadOnly = node.Is("ro");
        string driver = node.Text("drv") ?? "";
        return new QemuNode(
            name,
            driver,
            node.Text("file"),
            image?.Number("virtual-size"),
            isReadOnly,
            driver == "qcow2" && !isReadOnly && image?.Member("format-specific")?.Member("data")?.Text("compat") is not "0.10",
            [.. node.Member("dirty-bitmaps").Elements()
                .Where(bitmap => bitmap.Text("name") is not null)
                .Select(bitmap => new QemuBitmap(bitmap.Text("name")!, bitmap.Is("recording"), bitmap.Is("persistent"), bitmap.Is("inconsistent")))]);
    }
}
