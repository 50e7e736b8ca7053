using MSOnlineBackup.Disks.Volumes;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Disks.Tests.Images;

/// <summary>Reads images that were altered where their readers look: each gives values or errors with an id, and ends.</summary>
internal static class Damage
{
    /// <summary>Alters an image again and again, and reads all of it.</summary>
    /// <param name="image">A sound one.</param>
    /// <param name="rounds">How often.</param>
    public static async Task TryAsync(byte[] image, int rounds)
    {
        var reads = new List<(long Offset, int Count)>();
        (int items, int errors) = await ReadAllAsync(new MemoryImage(image, reads), cached: false);
        Assert.True(items > 5, "A sound image has items.");
        Assert.Equal(0, errors);

        // Long pieces are content, which may be anything.
        (long Offset, int Count)[] places = [.. reads.Where(read => read.Count <= 4096).Distinct()];
        int harmed = 0;
        for (int round = 0; round < rounds; round++)
        {
            var random = new Random(20_261_130 + round);
            var before = new Stack<(int At, byte Value)>();
            for (int flips = random.Next(1, 8); flips > 0; flips--)
            {
                (long offset, int count) = places[random.Next(places.Length)];
                int at = (int)offset + random.Next(count);
                before.Push((at, image[at]));
                image[at] = random.Next(4) switch
                {
                    0 => (byte)(image[at] ^ (1 << random.Next(8))),
                    1 => 0xFF,
                    2 => 0,
                    _ => (byte)random.Next(256),
                };
            }

            try
            {
                (_, int found) = await ReadAllAsync(new MemoryImage(image, mostRead: 64L * image.Length), cached: true);
                harmed += found > 0 ? 1 : 0;
            }
            catch (Exception e) when (e is not BackupException)
            {
                Assert.Fail($"Round {round}: {e}");
            }

            while (before.TryPop(out (int At, byte Value) one))
            {
                image[one.At] = one.Value;
            }
        }

        Assert.True(harmed > 0, $"Of {rounds} alterations none was noticed.");
    }

    /// <summary>Reads what is left of an image that was cut off anywhere.</summary>
    public static async Task CutAsync(byte[] image, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            int length = (int)((long)image.Length * round / rounds) + (round % 3);
            await ReadAllAsync(new MemoryImage(image[..Math.Min(length, image.Length)], mostRead: 64L * image.Length), cached: true);
        }
    }

    // All folders, and the beginning and end of each file; how many items there are, and how many errors.
    private static async Task<(int Items, int Errors)> ReadAllAsync(MemoryImage image, bool cached)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        int items = 0;
        int errors = 0;
        IEnumerable<PartContent> parts;
        try
        {
            parts = cached
                ? (await Disk.OpenAsync(image, stop)).Volumes.Select(volume => volume.Content)
                : [await Probing.Probes.AskAsync(image, "the disk", stop)];
        }
        catch (BackupException e)
        {
            AssertTold(e);
            return (0, 1);
        }

        foreach (PartContent part in parts)
        {
            if (part.Files is not IFileVolume volume)
            {
                AssertTold(part.Error!);
                errors++;
                continue;
            }

            var buffer = new byte[16_384];
            await foreach ((IReadOnlyList<ReadOnlyMemory<byte>> path, VolumeItem item) in VolumeWalk.GoAsync(volume, volume.Root, (_, e) => Count(e), stop))
            {
                Assert.True(++items < 200_000, "It lists without end.");
                Assert.False(path[^1].Span.ContainsAny((byte)'/', (byte)0));
                Assert.False(path[^1].IsEmpty);
                try
                {
                    if (item.Kind is EntryKind.File or EntryKind.SymbolicLink)
                    {
                        Assert.True(item.Length >= 0);
                        await volume.ReadAsync(item, 0, buffer, stop);
                        await volume.ReadAsync(item, Math.Max(0, item.Length - 5000), buffer, stop);
                    }

                    // Each look-up reads the folder.
                    if (items % 16 == 0 && path.Count == 1)
                    {
                        await volume.FindAsync(volume.Root, item.Name, stop);
                    }
                }
                catch (BackupException e)
                {
                    Count(e);
                }
            }
        }

        return (items, errors);

        void Count(BackupException e)
        {
            AssertTold(e);
            errors++;
        }
    }

    private static void AssertTold(BackupException e) =>
        Assert.True(e.Id is BackupErrorId.VolumeCorrupt or BackupErrorId.VolumeUnsupported, $"{e.Id}: {e.Message}");
}
