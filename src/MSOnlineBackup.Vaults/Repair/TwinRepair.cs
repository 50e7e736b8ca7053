using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Stores;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Mends what lies in the vault twice, side by side: of two that should be there, the sound one is written in the place of one that is lost or damaged. The sound one stays
/// where it is, so nothing is lost by whoever is stopped in between; and all who mend write the same bytes.
/// </summary>
/// <param name="store">The store.</param>
internal sealed class TwinRepair(ChunkStore store)
{
    private enum State
    {
        Missing,
        Damaged,

        /// <summary>Perhaps later: it is left alone.</summary>
        Unreadable,
        Sound,
    }

    /// <summary>Mends.</summary>
    /// <param name="isRehearsal">Whether nothing is changed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The names of what was damaged or lost, and was, or would be, restored. Copies that were never made are written, and not counted.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(bool isRehearsal, CancellationToken cancellationToken)
    {
        var restored = new List<string>();
        foreach (string folder in (string[])[VaultLayout.Settings, VaultLayout.Credentials, VaultLayout.Records])
        {
            Dictionary<string, IReadOnlyList<uint>> found = await NumberedSeries.ListAsync(store.Objects, folder, cancellationToken).ConfigureAwait(false);
            foreach (uint number in found.GetValueOrDefault(folder, []))
            {
                string name = $"{folder}{number:x8}";
                Twin first = await ReadAsync(name, name, cancellationToken).ConfigureAwait(false);
                Twin copy = await ReadAsync(VaultLayout.CopyBeside(name), name, cancellationToken).ConfigureAwait(false);
                await MendAsync(copy, first, isCounted: true).ConfigureAwait(false);
                await MendAsync(first, copy, isCounted: copy.State == State.Damaged).ConfigureAwait(false);
            }
        }

        await MendSlotsAsync(restored, isRehearsal, cancellationToken).ConfigureAwait(false);
        return restored;

        async Task MendAsync(Twin sound, Twin broken, bool isCounted)
        {
            if (sound.State == State.Sound
                && broken.State is State.Missing or State.Damaged
                && (isRehearsal || await TryWriteAsync(broken, sound.Content, cancellationToken).ConfigureAwait(false))
                && isCounted)
            {
                restored.Add(broken.Name);
            }
        }
    }

    // One that is written from its copy says so: where it is being removed at this moment, it does not count.
    private async Task MendSlotsAsync(List<string> restored, bool isRehearsal, CancellationToken cancellationToken)
    {
        foreach (KeyName key in (await KeyListing.ReadAsync(store.Objects, cancellationToken).ConfigureAwait(false)).Slots)
        {
            var file = new KeySlotFile(store.Objects, store.Header.VaultId, key);
            if (await file.IsRemovedAsync(cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            (State state, KeySlot? slot) = await ReadSlotAsync(file, cancellationToken).ConfigureAwait(false);
            BackupException? fault = await file.CheckCopyAsync(slot, copy => KeyRing.IsProved(copy, store.Keys), cancellationToken).ConfigureAwait(false);
            KeySlot? found = fault is null ? await file.TryReadCopyAsync(cancellationToken).ConfigureAwait(false) : null;
            State copyState = found is not null ? State.Sound : fault is null ? State.Missing : fault.Id == BackupErrorId.VaultDataUnreadable ? State.Unreadable : State.Damaged;
            if (found is not null && state is State.Missing or State.Damaged)
            {
                await WriteAsync(file.Name, state, found! with { IsRestored = true }, isCounted: true).ConfigureAwait(false);
            }
            else if (state == State.Sound && copyState is State.Missing or State.Damaged)
            {
                await WriteAsync(file.CopyName, copyState, slot! with { IsRestored = null }, isCounted: copyState == State.Damaged).ConfigureAwait(false);
            }
        }

        async Task WriteAsync(string name, State state, KeySlot content, bool isCounted)
        {
            if ((isRehearsal || await TryWriteAsync(new Twin(name, state, []), content.Encode(), cancellationToken).ConfigureAwait(false)) && isCounted)
            {
                restored.Add(name);
            }
        }
    }

    private async Task<(State, KeySlot?)> ReadSlotAsync(KeySlotFile file, CancellationToken cancellationToken)
    {
        try
        {
            KeySlot slot = await file.ReadFirstAsync(cancellationToken).ConfigureAwait(false);
            return KeyRing.IsProved(slot, store.Keys) ? (State.Sound, slot) : (State.Damaged, null);
        }
        catch (BackupException e) when (KeySlotFile.IsBroken(e) || e.Id == BackupErrorId.VaultFormatUnsupported)
        {
            return (e.Id switch
            {
                BackupErrorId.VaultDataMissing => State.Missing,
                BackupErrorId.VaultDataUnreadable or BackupErrorId.VaultFormatUnsupported => State.Unreadable,
                _ => State.Damaged,
            }, null);
        }
    }

    private async Task<bool> TryWriteAsync(Twin broken, byte[] content, CancellationToken cancellationToken)
    {
        if (broken.State == State.Damaged && !await store.Deletion.TryDeleteAsync(broken.Name, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        await store.Objects.TryCreateAsync(broken.Name, content, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private async Task<Twin> ReadAsync(string name, string first, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(store.Objects, name, NumberedSeries.MaxLength, cancellationToken).ConfigureAwait(false);
            return content is null ? new Twin(name, State.Missing, []) : new Twin(name, RecordVerifier.IsOfOwner(store.Header, first, content) ? State.Sound : State.Damaged, content);
        }
        catch (BackupException e) when (e.IsDamage)
        {
            return new Twin(name, e.Id == BackupErrorId.VaultDataUnreadable ? State.Unreadable : State.Damaged, []);
        }
    }

    private readonly record struct Twin(string Name, State State, byte[] Content);
}
