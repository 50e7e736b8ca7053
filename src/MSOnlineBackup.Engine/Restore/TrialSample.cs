using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

#pragma warning disable RS0030 // No secret: the same seed has to give the same files, and the base library promises that.

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// A random sample of the files of a recovery point: each file is as likely to be in it as any other, and the same seed gives the same files.
/// </summary>
/// <param name="request">How many.</param>
/// <param name="seed">The seed.</param>
internal sealed class TrialSample(TrialRequest request, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>Draws it. Memory: the sample.</summary>
    /// <exception cref="BackupException">VaultDataCorrupt, VaultDataMissing: what the point lists cannot be read.</exception>
    public async Task<IReadOnlyList<RecoverableItem>> DrawAsync(IndexedVault vault, CancellationToken cancellationToken)
    {
        var drawn = new List<RecoverableItem>();
        long seen = 0;
        await foreach (RecoverableItem item in vault.ListItemsAsync(request.Point, null, recursive: true, cancellationToken).ConfigureAwait(false))
        {
            if (item.Entry.Kind != EntryKind.File || !item.Entry.IsRestorable() || item.Entry.Size > request.MaxBytes)
            {
                continue;
            }

            seen++;
            if (request.Share is { } share)
            {
                if (_random.NextDouble() < share)
                {
                    Keep(drawn, TrialRequest.MostFiles, drawn.Count + 1, item);
                }
            }
            else
            {
                Keep(drawn, request.Files!.Value, seen, item);
            }
        }

        // Which of them go beyond the bytes is chance as well.
        RecoverableItem[] order = [.. drawn];
        _random.Shuffle(order);
        var sample = new List<RecoverableItem>();
        long left = request.MaxBytes;
        foreach (RecoverableItem item in order.Where(item => item.Entry.Size <= left))
        {
            sample.Add(item);
            left -= item.Entry.Size;
        }

        return sample;
    }

    // Of all that were seen so far, each stays with the same chance.
    private void Keep(List<RecoverableItem> drawn, int most, long seen, RecoverableItem item)
    {
        if (drawn.Count < most)
        {
            drawn.Add(item);
        }
        else if (_random.NextInt64(seen) is long at && at < most)
        {
            drawn[(int)at] = item;
        }
    }
}
