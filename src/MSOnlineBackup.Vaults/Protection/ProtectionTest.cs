using System.Globalization;
using System.Security.Cryptography;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Protection;

/// <summary>
/// Tries, with the rights that are at hand, what an attacker would who has taken over a machine: harmlessly, for it touches only objects of its own, below <c>probes/</c>. What it
/// cannot delete again stays there; the next run that may deletes it.
/// </summary>
/// <param name="vault">The vault.</param>
/// <param name="keepsOwnerKey">Whether this machine keeps the key of the vault's owner.</param>
internal sealed class ProtectionTest(KnownVault vault, bool keepsOwnerKey)
{
    private const int FloodObjects = 8;

    private static readonly TimeSpan _backdating = TimeSpan.FromDays(365);

    private readonly byte[] _content = RandomNumberGenerator.GetBytes(64);

    /// <summary>Tries all of it.</summary>
    /// <exception cref="BackupException">VaultUnreachable, …; VaultDataCorrupt where the settings are damaged.</exception>
    public async Task<IReadOnlyList<ProtectionFinding>> RunAsync(CancellationToken cancellationToken)
    {
        VaultSettings settings = await new VaultGuard(vault).ReadSettingsAsync(cancellationToken).ConfigureAwait(false);
        ProtectionFinding delete = await TryDeletingAsync(cancellationToken).ConfigureAwait(false);
        var findings = new List<ProtectionFinding>
        {
            delete,
            await TryOverwritingAsync(cancellationToken).ConfigureAwait(false),
            await TryBackdatingAsync(cancellationToken).ConfigureAwait(false),
            JudgeHiding(settings, delete.Verdict),
            TryShortening(settings),
            JudgeOwner(),
            JudgeDestroying(settings),
            JudgeImmutability(settings),
            await TryFloodingAsync(cancellationToken).ConfigureAwait(false),
            await new StorageLockTest(vault, settings).RunAsync(cancellationToken).ConfigureAwait(false),
        };
        await TidyAsync(cancellationToken).ConfigureAwait(false);
        return findings;
    }

    private async Task<ProtectionFinding> TryDeletingAsync(CancellationToken cancellationToken)
    {
        if (await TryMakeAsync(cancellationToken).ConfigureAwait(false) is not { } probe)
        {
            return Unwritable(ProtectionCheck.Delete);
        }

        StorageProtection? kept = vault.Objects.Attack is { } attack ? await attack.ReadProtectionAsync(probe, cancellationToken).ConfigureAwait(false) : null;
        string? refusal = await RefusalOfAsync(async () => await vault.Objects.DeleteAsync(probe, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        bool isThere = await vault.Objects.StatAsync(probe, cancellationToken).ConfigureAwait(false) is not null;
        return refusal is not null && isThere ? new(ProtectionCheck.Delete, ProtectionVerdict.Held, $"An object could not be deleted: {refusal}")
            : kept is { KeepsVersions: true } && (kept.Until is null || kept.Until > vault.Clock.GetUtcNow())
                ? new(
                    ProtectionCheck.Delete,
                    kept.IsLocked ? ProtectionVerdict.Held : ProtectionVerdict.NotHeld,
                    $"An object was deleted, and the storage keeps it as an earlier version{Until(kept)}.",
                    kept.IsLocked ? "" : "Lock the immutability policy of the container, or take the right to delete from this identity.")
            : new(
                ProtectionCheck.Delete,
                ProtectionVerdict.NotHeld,
                "An object of the vault could be deleted: so can all of them.",
                "Give machines an identity that adds and reads only (docs/operations.md, 'Three identities'). A folder has no such rights: put a server in front of it, or keep a copy elsewhere.");
    }

    private async Task<ProtectionFinding> TryOverwritingAsync(CancellationToken cancellationToken)
    {
        if (vault.Objects.Attack is not { } attack)
        {
            return new(ProtectionCheck.Overwrite, ProtectionVerdict.NotApplicable, "This storage does not let it be tried.");
        }

        if (await TryMakeAsync(cancellationToken).ConfigureAwait(false) is not { } probe)
        {
            return Unwritable(ProtectionCheck.Overwrite);
        }

        if (await vault.Objects.TryCreateAsync(probe, new byte[_content.Length], cancellationToken).ConfigureAwait(false) || !await IsIntactAsync(probe, cancellationToken).ConfigureAwait(false))
        {
            return new(
                ProtectionCheck.Overwrite,
                ProtectionVerdict.NotHeld,
                "The storage lets a name be created twice: backups can destroy each other.",
                "Do not use this storage. Report it, with its product and version.");
        }

        string? refusal = await RefusalOfAsync(async () => await attack.OverwriteAsync(probe, new byte[_content.Length], cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        return await IsIntactAsync(probe, cancellationToken).ConfigureAwait(false)
            ? new(ProtectionCheck.Overwrite, ProtectionVerdict.Held, $"An object could not be replaced: {refusal ?? "it has the bytes that it had."}")
            : new(
                ProtectionCheck.Overwrite,
                ProtectionVerdict.NotHeld,
                "An object of the vault could be replaced. What was replaced is detected when it is read, and never restored: it is lost all the same.",
                "Give machines an identity that adds and reads only: without the permission to write, in SAS 'w'.");
    }

    private async Task<ProtectionFinding> TryBackdatingAsync(CancellationToken cancellationToken)
    {
        if (vault.Objects.Attack is not { } attack)
        {
            return new(ProtectionCheck.Backdate, ProtectionVerdict.NotApplicable, "This storage does not let it be tried.");
        }

        if (await TryMakeAsync(cancellationToken).ConfigureAwait(false) is not { } probe
            || await vault.Objects.StatAsync(probe, cancellationToken).ConfigureAwait(false) is not { } before)
        {
            return Unwritable(ProtectionCheck.Backdate);
        }

        bool canBe = false;
        string? refusal = await RefusalOfAsync(
            async () => canBe = await attack.BackdateAsync(probe, before.Created - _backdating, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        StoredObject? after = await vault.Objects.StatAsync(probe, cancellationToken).ConfigureAwait(false);
        return after is { } found && before.Created - found.Created > TimeSpan.FromDays(1)
            ? new(
                ProtectionCheck.Backdate,
                ProtectionVerdict.NotHeld,
                "An object could be made to look a year older than it is: whoever does that to recovery points, and may delete, can have them end before their time.",
                "A folder's times are its files'. Let machines reach it through a server that sets them, or use Blob Storage.")
            : new(ProtectionCheck.Backdate, ProtectionVerdict.Held, refusal is not null ? $"The time of an object could not be changed: {refusal}"
                : canBe ? "The time of an object stayed as it was." : "The storage's own clock says when an object was created, and there is no way to change that.");
    }

    // A record of deletion hides a point, and takes nothing away: only who may delete objects can end it.
    private static ProtectionFinding JudgeHiding(VaultSettings settings, ProtectionVerdict delete)
    {
        string days = string.Create(CultureInfo.InvariantCulture, $"{settings.UndeleteDays} days");
        return delete == ProtectionVerdict.Held
            ? new(ProtectionCheck.Hide, ProtectionVerdict.Held, $"Whoever knows the passphrase can hide recovery points. They can be brought back for {days} at least, and this identity cannot end them.")
            : new(
                ProtectionCheck.Hide,
                ProtectionVerdict.NotHeld,
                $"Whoever knows the passphrase can hide recovery points. They can be brought back for {days}, unless their objects are deleted, which this identity may.",
                "Take the right to delete from this identity.");
    }

    private ProtectionFinding TryShortening(VaultSettings settings)
    {
        if (vault.Header.OwnerIdentity is null)
        {
            return new(
                ProtectionCheck.Shorten, ProtectionVerdict.NotApplicable, "The vault has no owner, so its settings cannot be changed.", "Create a vault with an owner to be able to protect it.");
        }

        using var stranger = OwnerKey.Create();
        const string Name = $"{VaultLayout.Settings}00000001";
        byte[] forged = RecordEnvelope.Sign(stranger, vault.VaultId, Name, "{}"u8);
        return OwnerRecord.TryOpen(vault.Header, Name, forged, RegisterJson.Default.VaultSettings) is null
            ? new(ProtectionCheck.Shorten, ProtectionVerdict.Held, settings.Immutability == VaultImmutability.Locked
                ? "Settings that the owner has not signed are refused, and immutability is locked for the owner, too."
                : "Settings that the owner has not signed are refused.")
            : new(ProtectionCheck.Shorten, ProtectionVerdict.NotHeld, "Settings that somebody else has signed are taken for the owner's.", "Report it: this is a bug.");
    }

    private ProtectionFinding JudgeOwner() =>
        vault.Header.OwnerIdentity is null ? new(ProtectionCheck.BecomeOwner, ProtectionVerdict.NotApplicable, "The vault has no owner.")
        : keepsOwnerKey ? new(
            ProtectionCheck.BecomeOwner,
            ProtectionVerdict.NotHeld,
            "This machine keeps the key of the vault's owner: whoever takes it over can change the settings and give out PINs.",
            "Move the key to a file, away from the machine: Export-OBVaultOwner -Remove.")
        : new(ProtectionCheck.BecomeOwner, ProtectionVerdict.Held, "This machine does not keep the key of the vault's owner.");

    private static ProtectionFinding JudgeDestroying(VaultSettings settings) => settings.RequiresPin || settings.Approvers is { Count: > 0 }
        ? new(
            ProtectionCheck.Destroy,
            ProtectionVerdict.Held,
            settings.RequiresPin
                ? "Whatever destroys data asks for a security PIN of the owner."
                : "Whatever destroys data asks for the approval of another person.")
        : new(
            ProtectionCheck.Destroy,
            ProtectionVerdict.NotHeld,
            "Whoever sits at a machine can delete its recovery points and shorten its retention.",
            "Have the vault ask for a security PIN: Set-OBVault -RequirePin.");

    private static ProtectionFinding JudgeImmutability(VaultSettings settings) => settings.ImmutableTime is not null
        ? new(
            ProtectionCheck.DeleteYoung,
            ProtectionVerdict.Held,
            string.Create(CultureInfo.InvariantCulture, $"Recovery points stay for {settings.ImmutableDays} days, and {(settings.Immutability == VaultImmutability.Locked ? "nobody can change that" : "only the owner can change that")}."))
        : new(
            ProtectionCheck.DeleteYoung,
            ProtectionVerdict.NotHeld,
            "Recovery points can be deleted, whatever their age.",
            "Make the vault immutable: Set-OBVault -Immutability On -ImmutableDays N, and Locked once it has proved itself.");

    // Adding is what a machine is for.
    private async Task<ProtectionFinding> TryFloodingAsync(CancellationToken cancellationToken)
    {
        for (int i = 0; i < FloodObjects; i++)
        {
            if (await TryMakeAsync(cancellationToken).ConfigureAwait(false) is null)
            {
                return new(ProtectionCheck.Flood, ProtectionVerdict.Held, i == 0 ? "This identity cannot add anything." : "The storage bounds what this identity adds.");
            }
        }

        return new(
            ProtectionCheck.Flood,
            ProtectionVerdict.NotHeld,
            "Nothing bounds what this identity adds: it could fill the vault. That stops backups and costs money, and deletes nothing.",
            "Set a quota, or a budget and an alert on used capacity; withdraw the identity of a machine that floods.");
    }

    private static ProtectionFinding Unwritable(ProtectionCheck check) => new(check, ProtectionVerdict.NotApplicable, "This identity cannot add anything, so there was nothing to try it on.");

    private static string Until(StorageProtection kept) => kept.Until is { } until ? string.Create(CultureInfo.InvariantCulture, $" until {until:u}") : "";

    // Null where this identity may not add.
    private async Task<string?> TryMakeAsync(CancellationToken cancellationToken)
    {
        string probe = VaultLayout.Probes + RandomNumberGenerator.GetHexString(32, lowercase: true);
        string? refusal = await RefusalOfAsync(async () => await vault.Objects.TryCreateAsync(probe, _content, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        return refusal is null ? probe : null;
    }

    private async Task<bool> IsIntactAsync(string probe, CancellationToken cancellationToken) =>
        (await VaultHeader.ReadSmallAsync(vault.Objects, probe, _content.Length + 1, cancellationToken).ConfigureAwait(false))?.SequenceEqual(_content) == true;

    private async Task TidyAsync(CancellationToken cancellationToken)
    {
        List<StoredObject> probes = await vault.Objects.ListAsync(VaultLayout.Probes, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (StoredObject probe in probes)
        {
            if (await RefusalOfAsync(async () => await vault.Objects.DeleteAsync(probe.Name, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false) is not null)
            {
                return;
            }
        }
    }

    // What the storage says where it refuses; null where it does as it is asked.
    private static async Task<string?> RefusalOfAsync(Func<Task> attempt)
    {
        try
        {
            await attempt().ConfigureAwait(false);
            return null;
        }
        catch (BackupException e) when (e.Id is BackupErrorId.VaultAccessDenied or BackupErrorId.VaultDataProtected or BackupErrorId.VaultFull)
        {
            return e.Message;
        }
    }
}
