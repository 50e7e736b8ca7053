using System.Text.Json;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Vaults.Repair;

/// <summary>
/// Rebuilds a lost or damaged <c>vault.json</c>. Where a single byte of it changed, its checksum tells which, and it is as it was; else key slots and
/// records of sessions say which vault this is, and must agree. Its owner is whom its machines know, or whom the owner's file names.
/// </summary>
/// <param name="objects">The vault.</param>
/// <param name="clock">The clock.</param>
/// <param name="ownerFile">The path of the owner's file; null where none is at hand.</param>
internal sealed class HeaderRepair(IVaultStore objects, TimeProvider clock, string? ownerFile)
{
    private const int MaxWitnessLength = 64 << 10;

    // Every byte is tried with every value, and each costs a hash of all: of a header as they are, that takes a tenth of a second.
    private const int LongestMended = 4 << 10;

    private readonly Dictionary<string, Evidence> _evidence = [];
    private readonly HashSet<string> _usedStores = [];

    public async Task<HeaderRepairReport> RunAsync(CancellationToken cancellationToken)
    {
        (string VaultId, OwnerIdentity Owner)? named = ownerFile is null ? null : await OwnerFile.ReadOwnerAsync(ownerFile, cancellationToken).ConfigureAwait(false);
        byte[]? damaged = await ReadDamagedAsync(cancellationToken).ConfigureAwait(false);
        await GatherAsync(cancellationToken).ConfigureAwait(false);
        VaultHeader? mended = damaged is null ? null : TryMend(damaged) ?? TryMend(damaged.AsSpan().TrimEnd(" \r\n\t"u8));
        string[] said = Said();
        if (said.Length > 1)
        {
            throw Refused(
                $"its objects belong to {said.Length} vaults: {string.Join("; ", said.Select(id => $"{id} by {Describe(_evidence[id])}"))}",
                "Bring vault.json back from a copy of the vault; or remove what was brought here from another vault.");
        }

        if (mended is not null && said is [var other] && other != mended.VaultId)
        {
            throw Refused(
                $"it says that this is the vault {mended.VaultId}, but everything else says {other} ({Describe(_evidence[other])})",
                "If vault.json was brought here from another vault, delete it and run this again.");
        }

        string vaultId = mended?.VaultId ?? (said is [var only]
            ? only
            : throw Refused(
                "no sound key slot and no sound session record says which vault this is",
                "Bring vault.json back from a copy of the vault. Without key slots the vault cannot be opened anyway."));
        Evidence evidence = _evidence.GetValueOrDefault(vaultId) ?? new Evidence();
        VaultHeader made = mended ?? new VaultHeader
        {
            Format = VaultHeader.SupportedFormat,
            VaultId = vaultId,
            Copy = IdDigits.Create(),
            Created = evidence.Oldest ?? clock.GetUtcNow(),
        };
        IReadOnlyList<MachineRecord> machines = await new MachineDirectory(new KnownVault(objects, made, new VaultOptions())).ListAsync(cancellationToken).ConfigureAwait(false);
        if (named is { } file && file.VaultId != vaultId)
        {
            throw OwnerErrors.Foreign(objects.Location, $"'{ownerFile}' belongs to the vault {file.VaultId}, not to {vaultId}");
        }

        OwnerIdentity? owner = FindOwner(mended, machines, named?.Owner);
        await WriteAsync(mended ?? made with { Owner = owner?.Encode() }, cancellationToken).ConfigureAwait(false);
        return new HeaderRepairReport(vaultId, mended is not null, evidence.Slots, evidence.Sessions, machines.Count) { Owner = owner?.Fingerprint };
    }

    /// <summary>What is damaged; null where there is nothing.</summary>
    private async Task<byte[]?> ReadDamagedAsync(CancellationToken cancellationToken)
    {
        VaultHeader sound;
        try
        {
            sound = await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VaultHeaderDamaged)
        {
            try
            {
                return await VaultHeader.ReadSmallAsync(objects, VaultLayout.Header, VaultHeader.MaxLength, cancellationToken).ConfigureAwait(false);
            }
            catch (BackupException unreadable) when (unreadable.IsDamage)
            {
                return [];
            }
        }

        await GatherAsync(cancellationToken).ConfigureAwait(false);
        throw Said() is { Length: > 0 } said && !said.Contains(sound.VaultId)
            ? Refused(
                $"it is sound and says that this is the vault {sound.VaultId}, but everything else says {string.Join(", ", said)} ({Describe(_evidence[said[0]])})",
                "If vault.json was brought here from another vault, delete it and run this again.")
            : Refused("it is sound", "Nothing needs to be done. 'obengine verify' looks at the rest of the vault.");
    }

    /// <summary>Reads what says of which vault it is.</summary>
    private async Task GatherAsync(CancellationToken cancellationToken)
    {
        var names = new List<string>();
        foreach (string folder in (string[])[VaultLayout.Stores, VaultLayout.AllKeys])
        {
            await foreach (StoredObject found in objects.ListAsync(folder, cancellationToken).ConfigureAwait(false))
            {
                string[] parts = found.Name.Split('/');
                if (folder == VaultLayout.Stores)
                {
                    _usedStores.Add(parts[1]);
                }

                if (parts is ["keys", _, _] or ["stores", _, "sessions", _])
                {
                    names.Add(found.Name);
                }
            }
        }

        await foreach ((string name, HeaderWitness? witness) in ReadAhead.SelectAsync(
            names, objects.Capabilities.MaxConcurrency, async (name, token) => (name, await ReadAsync(name, token).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false))
        {
            if (witness is not null)
            {
                (_evidence.TryGetValue(witness.VaultId!, out Evidence? evidence) ? evidence : _evidence[witness.VaultId!] = new Evidence()).Add(name, witness, _usedStores);
            }
        }
    }

    // What was brought from another place of a vault says nothing of this one.
    private async Task<HeaderWitness?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            byte[]? content = await VaultHeader.ReadSmallAsync(objects, name, MaxWitnessLength, cancellationToken).ConfigureAwait(false);
            HeaderWitness? witness = content is null ? null : CheckedJson.TryDecode(content, HeaderJson.Default.HeaderWitness);
            return witness is { VaultId: not null } && IdDigits.AreIn(witness.VaultId)
                && name == (witness.KeyId is { } key ? $"keys/{witness.StoreId}/{key}" : $"stores/{witness.StoreId}/sessions/{witness.SessionId}")
                ? witness
                : null;
        }
        catch (Exception e) when (e is JsonException or BackupException { IsDamage: true })
        {
            return null;
        }
    }

    // Slots of stores that hold nothing may be what an interrupted creation left, of a vault that never was: they count where nothing else does.
    private string[] Said()
    {
        string[] used = [.. _evidence.Where(evidence => evidence.Value.IsUsed).Select(evidence => evidence.Key)];
        return used.Length > 0 ? used : [.. _evidence.Keys];
    }

    // The owner whom the header or the machines know. Nobody can check here what machines say; but each of them refuses the vault under another owner than its own.
    private OwnerIdentity? FindOwner(VaultHeader? mended, IReadOnlyList<MachineRecord> machines, OwnerIdentity? named)
    {
        string[] said = mended is null ? [.. machines.Select(machine => machine.Owner).OfType<string>().Distinct()] : [];
        OwnerIdentity[] known = [.. (mended is null ? said.Select(OwnerIdentity.TryParse) : [mended.OwnerIdentity]).OfType<OwnerIdentity>()];
        if (named is not null)
        {
            return (mended is null && known.Length == 0) || known.Contains(named)
                ? named
                : throw OwnerErrors.Foreign(objects.Location, $"'{ownerFile}' says {named.Fingerprint}, and {(mended is null ? "its machines" : "what is left of 'vault.json'")} another one");
        }

        return known switch
        {
            [] when said.Length == 0 => null,
            [] => throw Refused(
                "what its machines say of its owner is damaged",
                "Name the owner's file with --owner-file, or bring vault.json back from a copy of the vault."),

            // What is no key at all is nobody's: a damaged record says nothing of the owner.
            [var only] => only,
            _ => throw Refused(
                $"its machines know {known.Length} different owners",
                "Name the owner's file with --owner-file, or bring vault.json back from a copy of the vault; or remove the records below 'machines' that nobody here has written."),
        };
    }

    /// <summary>The header as it was before one byte changed; null where more than that is damaged.</summary>
    private static VaultHeader? TryMend(ReadOnlySpan<byte> damaged)
    {
        byte[] content = [.. damaged];
        if (content.Length is <= CheckedJson.TailLength or > LongestMended)
        {
            return null;
        }

        byte[] completed = CheckedJson.Complete(CheckedJson.Covered(content));
        if (completed.Where((expected, at) => expected != content[at]).Count() <= 1)
        {
            return VaultHeader.TryDecode(completed);
        }

        // A single bit, as media lose them, is found at once; a byte by all that may stand in JSON.
        return TryReplace(content, static was => Enumerable.Range(0, 8).Select(bit => (byte)(was ^ (1 << bit))))
            ?? TryReplace(content, static _ => Enumerable.Range(' ', '~' - ' ' + 1).Select(value => (byte)value));
    }

    private static VaultHeader? TryReplace(byte[] content, Func<byte, IEnumerable<byte>> candidates)
    {
        for (int at = 0; at < content.Length - CheckedJson.TailLength; at++)
        {
            byte was = content[at];
            foreach (byte candidate in candidates(was))
            {
                content[at] = candidate;
                if (CheckedJson.IsSound(content))
                {
                    return VaultHeader.TryDecode(content);
                }
            }

            content[at] = was;
        }

        return null;
    }

    private async Task WriteAsync(VaultHeader header, CancellationToken cancellationToken)
    {
        // The one name that comes back. Killed in between, the header is lost, and this can be run again.
        await PatientDeletion.DeleteAsync(objects, VaultLayout.Header, cancellationToken).ConfigureAwait(false);
        await header.WriteAsync(objects, CancellationToken.None).ConfigureAwait(false);
        if ((await VaultHeader.ReadAsync(objects, cancellationToken).ConfigureAwait(false)).VaultId != header.VaultId)
        {
            throw VaultDamage.Corrupt(VaultLayout.Header, "it does not read back as it was written");
        }
    }

    private static string Describe(Evidence evidence) =>
        $"{evidence.Slots} {(evidence.Slots == 1 ? "key slot" : "key slots")} and {evidence.Sessions} {(evidence.Sessions == 1 ? "record" : "records")} of sessions, for example '{evidence.Example}'";

    private BackupException Refused(string why, string action) => new(
        BackupErrorId.VaultHeaderNotRepaired,
        $"The header of the vault in '{objects.Location}', '{VaultLayout.Header}', was not rebuilt: {why}.",
        action,
        objects.Location);

    /// <summary>All that says the same.</summary>
    private sealed class Evidence
    {
        public int Slots { get; private set; }

        public int Sessions { get; private set; }

        public bool IsUsed { get; private set; }

        public string? Example { get; private set; }

        public DateTimeOffset? Oldest { get; private set; }

        public void Add(string name, HeaderWitness witness, HashSet<string> usedStores)
        {
            Slots += witness.KeyId is null ? 0 : 1;
            Sessions += witness.KeyId is null ? 1 : 0;
            IsUsed |= usedStores.Contains(witness.StoreId!);
            Example ??= name;
            DateTimeOffset? time = witness.Created ?? witness.Started;
            Oldest = time < Oldest || Oldest is null ? time : Oldest;
        }
    }
}
