using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>key list</c>.</summary>
internal sealed class KeyListCommand : HostCommand
{
    private readonly VaultSelection _vault;

    public KeyListCommand()
        : base("list", "List the key slots of a vault.", "obengine key list --vault /mnt/backup") =>
        _vault = new VaultSelection(this);

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        IReadOnlyList<KeySlotInfo> keys = await vault.ListKeysAsync(context.Stop).ConfigureAwait(false);
        context.Renderer.Table(
            keys.Select(key => new KeyLine(key.KeyId, key.Label, key.Kind, key.Created, key.IsCurrent, key.KeyVaultKey, key.Kdf, key.Epoch, key.IsOutdated))
                .ToList(),
            new TextTable<KeyLine>(
                new Column<KeyLine>("KEY", key => key.Id),
                new Column<KeyLine>("KIND", key => key.Kdf is null ? key.Kind : $"{key.Kind} ({key.Kdf})"),
                new Column<KeyLine>("CREATED", key => context.LocalTime(key.Created)),
                new Column<KeyLine>("IN USE", key => key.IsCurrent ? "yes" : ""),
                new Column<KeyLine>("EPOCH", key => key.IsOutdated ? $"{key.Epoch} (outdated)" : $"{key.Epoch}"),
                new Column<KeyLine>("LABEL", key => string.Join("  ", new[] { key.Label, key.KeyVaultKey }.Where(text => !string.IsNullOrEmpty(text))))));
        return new Outcome(new ListSummary("key list", keys.Count), "");
    }
}

/// <summary><c>key add</c>.</summary>
internal sealed class KeyAddCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly NewKeyOptions _new;
    private readonly Option<string?> _label;

    public KeyAddCommand()
        : base("add", "Let another passphrase, or a key in Azure Key Vault, open the vault too.", "obengine key add --vault /mnt/backup --label recovery --new-passphrase-file recovery.txt")
    {
        _vault = new VaultSelection(this);
        _new = new NewKeyOptions(this);
        _label = Value("--label", "TEXT", "What to call the key slot.");
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, _new.Apply(context)).ConfigureAwait(false);
        string? label = context.Get(_label);
        KeySlotInfo key = _new.TryOpenKey(context, _vault.Connect(context)) is { } wrapping
            ? await vault.AddKeyAsync(wrapping, label, context.Stop).ConfigureAwait(false)
            : await vault.AddKeyAsync(await _new.ReadPassphraseAsync(context).ConfigureAwait(false), label, context.Stop).ConfigureAwait(false);
        return new Outcome(new KeySummary("key add", key.KeyId, key.Label), $"Key slot {key.KeyId} added.");
    }
}

/// <summary><c>key change</c>.</summary>
internal sealed class KeyChangeCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly NewKeyOptions _new;
    private readonly ConsentOptions _consent;

    public KeyChangeCommand()
        : base("change", "Replace the key slot that opens the vault with a new one; no data is rewritten.", "obengine key change --vault /mnt/backup")
    {
        _vault = new VaultSelection(this);
        _new = new NewKeyOptions(this);
        _consent = new ConsentOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, _new.Apply(context)).ConfigureAwait(false);
        KeySlotInfo key = _new.TryOpenKey(context, _vault.Connect(context)) is { } wrapping
            ? await vault.ChangeKeyAsync(wrapping, context.Stop, _consent.Read(context)).ConfigureAwait(false)
            : await vault.ChangeKeyAsync(await _new.ReadPassphraseAsync(context).ConfigureAwait(false), context.Stop, _consent.Read(context)).ConfigureAwait(false);
        string text = key.KeyVaultKey is { } uri
            ? $"'{uri}' now opens the vault; the new key slot is {key.KeyId}.\nAnyone who kept a copy of the old key slot can still "
                + "open this vault with what opened that slot."
            : $"The passphrase was changed; the new key slot is {key.KeyId}.\nAnyone who knew the old passphrase and kept a copy of the "
                + "old key slot can still open this vault.";
        return new Outcome(new KeySummary("key change", key.KeyId, key.Label), text);
    }
}

/// <summary><c>key rotate</c>.</summary>
internal sealed class KeyRotateCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly NewKeyOptions _new;
    private readonly ConsentOptions _consent;

    public KeyRotateCommand()
        : base(
            "rotate",
            "Begin a new master key: what is written from now on cannot be read with the one before. No data is rewritten.",
            "obengine key rotate --vault /mnt/backup --new-passphrase-file new.txt")
    {
        _vault = new VaultSelection(this);
        _new = new NewKeyOptions(this);
        _consent = new ConsentOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context, _new.Apply(context)).ConfigureAwait(false);
        KeySlotInfo key = _new.TryOpenKey(context, _vault.Connect(context)) is { } wrapping
            ? await vault.RotateKeyAsync(wrapping, context.Stop, _consent.Read(context)).ConfigureAwait(false)
            : await vault.RotateKeyAsync(await _new.ReadPassphraseAsync(context).ConfigureAwait(false), context.Stop, _consent.Read(context)).ConfigureAwait(false);
        foreach (KeySlotInfo outdated in (await vault.ListKeysAsync(context.Stop).ConfigureAwait(false)).Where(slot => slot.IsOutdated))
        {
            context.Renderer.Note(
                $"The key slot {outdated.KeyId}{(outdated.Label is { } label ? $" ({VisibleText.Line(label)})" : "")} opens only what was written before. "
                    + "Add its passphrase or Key Vault key again (obengine key add), and remove it.");
        }

        string text = $"Master key number {key.Epoch} is in force; the new key slot is {key.KeyId}.\n"
            + "Registered machines of this passphrase need 'Repair-OBKey' once. 'obengine maintain --reencrypt-bytes' seals what was written before anew.";
        return new Outcome(new KeySummary("key rotate", key.KeyId, key.Label), text);
    }
}

/// <summary><c>key remove</c>.</summary>
internal sealed class KeyRemoveCommand : HostCommand
{
    private readonly VaultSelection _vault;
    private readonly Argument<string> _key;
    private readonly ConsentOptions _consent;

    public KeyRemoveCommand()
        : base("remove", "Remove a key slot. The last one cannot be removed.", "obengine key remove 5b0c7a51e2d94f3c8a7d6e5f40312211 --vault /mnt/backup")
    {
        _key = Required("KEY", "The id of the key slot, as 'obengine key list' shows it.");
        _vault = new VaultSelection(this);
        _consent = new ConsentOptions(this);
    }

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        string key = context.Get(_key);
        await vault.RemoveKeyAsync(key, context.Stop, _consent.Read(context)).ConfigureAwait(false);
        return new Outcome(new KeySummary("key remove", key, null), $"Key slot {key} removed.");
    }
}
