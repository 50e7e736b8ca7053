using System.Security.Cryptography;
using System.Text;
using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>All items of a volume, as whoever restores it reads them.</summary>
internal static class ReadVolume
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every item by its path; paths begin without a slash.</summary>
    public static async Task<SortedDictionary<string, VolumeItem>> ItemsAsync(IFileVolume volume)
    {
        var items = new SortedDictionary<string, VolumeItem>(StringComparer.Ordinal);
        var folders = new Stack<(string Path, VolumeItem Folder)>([("", volume.Root)]);
        while (folders.TryPop(out (string Path, VolumeItem Folder) next))
        {
            await foreach (VolumeItem item in volume.ListAsync(next.Folder, Cancel))
            {
                string path = next.Path + Encoding.UTF8.GetString(item.Name.Span);
                items.Add(path, item);
                if (item.Kind == EntryKind.Directory)
                {
                    folders.Push((path + "/", item));
                }
            }
        }

        return items;
    }

    /// <summary>The item at a path, found name by name; null where there is none.</summary>
    public static async Task<VolumeItem?> FindAsync(IFileVolume volume, string path)
    {
        VolumeItem? item = volume.Root;
        foreach (string name in path.Split('/'))
        {
            item = item is null ? null : await volume.FindAsync(item, Encoding.UTF8.GetBytes(name), Cancel);
        }

        return item;
    }

    /// <summary>All bytes of an item, or of a part of it, in reads of an odd size.</summary>
    public static async Task<byte[]> ReadAsync(IFileVolume volume, VolumeItem item, long offset = 0, int most = int.MaxValue)
    {
        byte[] bytes = new byte[Math.Max(0, Math.Min(most, item.Length - offset))];
        for (int done = 0; done < bytes.Length;)
        {
            int count = await volume.ReadAsync(item, offset + done, bytes.AsMemory(done, Math.Min(bytes.Length - done, 100_003)), Cancel);
            Assert.True(count > 0, "The item ends too early.");
            done += count;
        }

        if (offset + bytes.Length == item.Length)
        {
            Assert.Equal(0, await volume.ReadAsync(item, item.Length, new byte[1], Cancel));
        }

        return bytes;
    }

    /// <summary>A name for an item's bytes.</summary>
    public static async Task<string> HashAsync(IFileVolume volume, VolumeItem item) => Convert.ToHexStringLower(SHA256.HashData(await ReadAsync(volume, item)))[..16];

    /// <summary>Reads what an altered image lets be read: every fault is told as one of the volume's own errors, and there is an end.</summary>
    /// <returns>How many items and errors there were.</returns>
    public static async Task<(int Items, int Errors)> TryAllAsync(Func<Task<IFileVolume?>> open, int mostItems)
    {
        (int items, int errors) = (0, 0);
        IFileVolume? volume = null;
        await TryAsync(async () => volume = await open());
        var folders = new Stack<VolumeItem>(volume is null ? [] : [volume.Root]);
        var seen = new HashSet<ulong>();
        byte[] bytes = new byte[64 << 10];
        while (folders.TryPop(out VolumeItem? folder))
        {
            await TryAsync(async () =>
            {
                await foreach (VolumeItem item in volume!.ListAsync(folder, Cancel))
                {
                    items++;
                    Assert.True(items <= mostItems, "There is no end of items.");
                    Assert.False(item.Name.IsEmpty);
                    Assert.False(item.Name.Span.ContainsAny((byte)'/', (byte)0));
                    if (item.Kind == EntryKind.Directory && seen.Add(item.Id))
                    {
                        folders.Push(item);
                    }
                    else if (item.Kind is EntryKind.File or EntryKind.SymbolicLink)
                    {
                        await TryAsync(async () =>
                        {
                            foreach (long offset in new[] { 0, item.Length / 2, Math.Max(0, item.Length - 5000) })
                            {
                                await volume.ReadAsync(item, offset, bytes, Cancel);
                            }
                        });
                    }

                    await TryAsync(async () => await volume.FindAsync(folder, item.Name, Cancel));
                }
            });
        }

        return (items, errors);

        async Task TryAsync(Func<Task> work)
        {
            try
            {
                await work();
            }
            catch (BackupException e) when (e.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported)
            {
                errors++;
            }
        }
    }
}
