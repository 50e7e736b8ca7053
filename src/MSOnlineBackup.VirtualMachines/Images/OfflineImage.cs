using System.Text.Json;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Changes;
using MSOnlineBackup.VirtualMachines.Qmp;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>What qemu-img knows of an image of a disk.</summary>
/// <param name="Size">The size of the disk, in bytes.</param>
/// <param name="Records">The records of what changed that it has, with whether they are of use.</param>
/// <param name="KeepsBitmaps">Whether it can have any.</param>
/// <param name="HasBacking">Whether it is written over another image. Who makes a snapshot may have a record go on in the new image, which has what was written since then only.</param>
internal sealed record OfflineImage(long Size, IReadOnlyList<(ChangeRecord Record, bool IsUsable)> Records, bool KeepsBitmaps, bool HasBacking)
{
    /// <summary>Asks.</summary>
    /// <param name="file">The image.</param>
    /// <param name="format">Its format. It is not guessed: a guest can write to a raw disk what looks like another.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable.</exception>
    public static async Task<OfflineImage> ReadAsync(string file, string format, CancellationToken cancellationToken)
    {
        string said = await ImageProgram.RunAsync("qemu-img", ["info", "--output=json", "-f", format, file], file, cancellationToken).ConfigureAwait(false);
        JsonElement? data;
        long? size;
        bool hasBacking;
        try
        {
            using JsonDocument document = JsonDocument.Parse(said);
            size = document.RootElement.Number("virtual-size");
            hasBacking = document.RootElement.Text("backing-filename") is not null;
            data = document.RootElement.Member("format-specific")?.Member("data")?.Clone();
        }
        catch (JsonException e)
        {
            throw ImageProgram.Failed("qemu-img", file, e.Message);
        }

        var records = new List<(ChangeRecord Record, bool IsUsable)>();
        foreach (JsonElement bitmap in (data?.Member("bitmaps")).Elements())
        {
            if (bitmap.Text("name") is { } name && ChangeRecord.Parse(name) is { } record)
            {
                string[] flags = [.. bitmap.Member("flags").Elements().Select(flag => $"{flag}")];
                records.Add((record, flags.Contains("auto") && !flags.Contains("in-use")));
            }
        }

        return new OfflineImage(size ?? throw ImageProgram.Failed("qemu-img", file, "it does not say how large the disk is"), records, format == "qcow2" && data?.Text("compat") is not "0.10", hasBacking);
    }
}
