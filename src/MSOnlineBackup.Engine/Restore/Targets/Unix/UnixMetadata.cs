using System.Buffers.Binary;
using System.Collections.Concurrent;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore.Targets.Unix;

/// <summary>
/// Gives items their metadata back, in the order that lets nothing undo what was set before it: the owner first (which
/// takes away set-id bits and capabilities), then extended attributes, times, mode, and flags. The mode comes after the times, for a folder's
/// tells that all before it is done.
/// </summary>
/// <param name="system">The calls.</param>
/// <param name="skipSecurity">Whether owner, mode and attributes that decide who may do what are left as they are.</param>
/// <remarks>What an account or a file system refuses as such (owners without being root, attributes that it cannot
/// keep) is reported for the first item only: the others would say the same. For several threads.</remarks>
internal sealed class UnixMetadata(UnixSystem system, bool skipSecurity)
{
    private const uint PermissionBits = 0x1FF;
    private const uint StickyBit = 0x200;
    private const uint AllBits = 0xFFF;

    // From 1980, where FAT begins, to January 2038, where signed 32-bit seconds end.
    private const long FirstCommonTime = 315_532_800;
    private const long LastCommonTime = 0x7FFF_FFFF;

    // In seconds: FAT keeps no finer times.
    private const int CoarsestTime = 2;

    private const int AttributeRoom = 64 << 10;

    private readonly bool _isRoot = Libc.EffectiveUser() == 0;

    private readonly ConcurrentDictionary<string, bool> _reported = new();

    private static ReadOnlySpan<byte> AccessList => "system.posix_acl_access"u8;

    private static ReadOnlySpan<byte> DefaultAccessList => "system.posix_acl_default"u8;

    /// <summary>The mode to create a file with, so that it need not be changed where owner and umask allow.</summary>
    public uint CreationMode(ManifestEntry entry)
    {
        if (skipSecurity || IsForeign(entry))
        {
            return 0x1B6; // rw-rw-rw- less the umask
        }

        // Whoever sets extended attributes without being root needs the right to write.
        uint mode = entry.Metadata.Mode & PermissionBits;
        return entry.Attributes.Count > 0 ? mode | 0x180 : mode;
    }

    /// <summary>Whether what is created in a folder gets an access list that the folder hands on.</summary>
    public bool HandsOnAccessList(int folder) =>
        system.GetAttribute(new UnixNode(-1, folder, "."u8), DefaultAccessList, []) > 0;

    /// <summary>The flags that an entry has on this platform; 0 for none.</summary>
    public uint FlagsOf(ManifestEntry entry)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == AttributeTag.InodeFlags && attribute.Value.Length == 4 && attribute.Name.Span.SequenceEqual(system.FlagsName))
            {
                return BinaryPrimitives.ReadUInt32LittleEndian(attribute.Value.Span);
            }
        }

        return 0;
    }

    /// <summary>Sets everything but flags.</summary>
    /// <param name="entry">What to set.</param>
    /// <param name="node">The item.</param>
    /// <param name="current">What it is now.</param>
    /// <param name="surplus">What it may have that it should not have.</param>
    /// <param name="path">Its full path, raw.</param>
    /// <param name="report">Told what could not be set.</param>
    public void Set(
        ManifestEntry entry, UnixNode node, in UnixStat current, Surplus surplus, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        bool touched = false;
        bool owned = true;
        bool isForeign = IsForeign(entry);
        if (!isForeign)
        {
            owned = !skipSecurity && SetOwner(entry.Metadata, node, current, path, report, ref touched);
            SetAttributes(entry, node, surplus, path, report, ref touched);
        }

        if (current.Modified != entry.Metadata.Modified)
        {
            SetModified(entry.Metadata.Modified, node, path, report);
        }

        if (!isForeign && !skipSecurity)
        {
            SetMode(entry, node, current, owned, touched, path, report);
        }
    }

    /// <summary>Whether an item has all the metadata that <see cref="Set"/> and <see cref="SetFlags"/> would give it; flags that forbid
    /// changes may be missing, for they are what is set last.</summary>
    /// <param name="entry">What it should have.</param>
    /// <param name="node">The item, open where it can be.</param>
    /// <param name="current">What it is now.</param>
    public bool IsSet(ManifestEntry entry, UnixNode node, in UnixStat current)
    {
        if (Int128.Abs((Int128)current.Modified.Seconds - entry.Metadata.Modified.Seconds) > CoarsestTime)
        {
            return false;
        }

        if (IsForeign(entry))
        {
            return true;
        }

        if (!skipSecurity)
        {
            // Owners are root's to give. What runs as its owner is not left so to another.
            bool owned = current.UserId == entry.Metadata.UserId && current.GroupId == entry.Metadata.GroupId;
            uint mode = entry.Metadata.Mode & (owned ? AllBits : PermissionBits | StickyBit);
            if ((!owned && _isRoot) || (entry.Kind != EntryKind.SymbolicLink && (current.Mode & AllBits) != mode))
            {
                return false;
            }
        }

        if (node.IsOpen)
        {
            uint wanted = FlagsOf(entry);
            uint freezing = system.FreezingFlags(wanted);
            if (system.GetFlags(node.Handle, current, out uint flags) >= 0 && (flags & ~freezing) != (wanted & ~freezing))
            {
                return false;
            }
        }

        return HasAttributes(entry, node) && !FindSurplus(entry, node, _ => true);
    }

    /// <summary>Gives an open file or folder these flags, and no others of those that are kept.</summary>
    public void SetFlags(uint flags, int handle, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        int result = system.SetFlags(handle, flags);
        if (result < 0)
        {
            Report(
                "flags", result, "Flags", "If they matter, run the restore as root, onto a file system that supports such flags.", path, report);
        }
    }

    // A file system sets the nearest time that it can hold, and says nothing. Times that all of them hold need no look.
    private void SetModified(ItemTime time, UnixNode node, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        int result = system.SetModified(node, time);
        UnixStat now = default;
        bool common = time.Seconds is >= FirstCommonTime and < LastCommonTime;
        if (result >= 0 && !common)
        {
            result = node.IsOpen ? system.Stat(node.Handle, out now) : system.Stat(node.At, node.Name, out now);
        }

        if (result < 0)
        {
            report(UnixRestoreError.OfMetadata(result, "The time", "Check whether the file system supports such times.", path));
        }
        else if (!common && now.Modified.Seconds != time.Seconds)
        {
            report(UnixRestoreError.TimeOutOfRange(time, now.Modified, path));
        }
    }

    // From Windows come neither owner nor mode nor attributes that mean anything here.
    private static bool IsForeign(ManifestEntry entry)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == AttributeTag.WindowsAttributes)
            {
                return true;
            }
        }

        return false;
    }

    // On Linux everything outside the users' own namespace belongs to the system: capabilities, labels, access lists.
    private static bool IsSecurity(ReadOnlySpan<byte> name) =>
        OperatingSystem.IsMacOS() ? name.StartsWith("com.apple.system.Security"u8) : !name.StartsWith("user."u8);

    private bool SetOwner(
        EntryMetadata metadata,
        UnixNode node,
        in UnixStat current,
        ReadOnlySpan<byte> path,
        Action<BackupException> report,
        ref bool touched)
    {
        if (current.UserId == metadata.UserId && current.GroupId == metadata.GroupId)
        {
            return true;
        }

        touched = true;
        int result = system.ChangeOwner(node, metadata.UserId, metadata.GroupId);
        if (result < 0)
        {
            // Not root: the group may still be one of this account's own.
            const uint Same = uint.MaxValue;
            if (system.ChangeOwner(node, Same, metadata.GroupId) >= 0 && current.UserId == metadata.UserId)
            {
                return true;
            }

            Report("owner", result, "The owner", "If owners matter, run the restore as root.", path, report);
        }

        return result >= 0;
    }

    // What may be taken away. Labels are the system's own business, and an item has them whatever it came with.
    private bool IsRemovable(ReadOnlySpan<byte> name) =>
        !(skipSecurity && IsSecurity(name))
        && (OperatingSystem.IsMacOS()
            ? !name.StartsWith("com.apple.system."u8) && !name.SequenceEqual("com.apple.provenance"u8)
            : name.StartsWith("user."u8) || name.StartsWith("trusted."u8) || name.SequenceEqual("security.capability"u8)
                || name.SequenceEqual(AccessList) || name.SequenceEqual(DefaultAccessList));

    private bool IsAttribute(in EntryAttribute attribute) =>
        (attribute.Tag == AttributeTag.ExtendedAttribute || (attribute.Tag == AttributeTag.NamedStream && OperatingSystem.IsMacOS()))
        && !(skipSecurity && IsSecurity(attribute.Name.Span));

    private void SetAttributes(
        ManifestEntry entry, UnixNode node, Surplus surplus, ReadOnlySpan<byte> path, Action<BackupException> report, ref bool touched)
    {
        bool hasAccessList = false;
        bool hasDefault = false;
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (!IsAttribute(attribute))
            {
                continue;
            }

            ReadOnlySpan<byte> name = attribute.Name.Span;
            hasAccessList |= name.SequenceEqual(AccessList);
            hasDefault |= name.SequenceEqual(DefaultAccessList);
            if (surplus == Surplus.Anything && HasAttribute(node, attribute))
            {
                continue;
            }

            touched = true;
            int result = system.SetAttribute(node, name, attribute.Value.Span);
            if (result < 0)
            {
                string text = EntryName.Escape(name);
                Report(
                    text, result, $"The attribute '{text}'", "If it matters, run the restore as root, onto a file system that supports such attributes.", path, report);
            }
        }

        if (surplus == Surplus.AccessLists && !skipSecurity && entry.Kind != EntryKind.SymbolicLink)
        {
            touched |= !hasAccessList && system.RemoveAttribute(node, AccessList) >= 0;
            touched |= !hasDefault && entry.Kind == EntryKind.Directory && system.RemoveAttribute(node, DefaultAccessList) >= 0;
        }
        else if (surplus == Surplus.Anything)
        {
            touched |= RemoveSurplus(entry, node, path, report);
        }
    }

    private bool RemoveSurplus(ManifestEntry entry, UnixNode node, ReadOnlySpan<byte> path, Action<BackupException> report)
    {
        List<byte[]>? names = null;
        FindSurplus(entry, node, name =>
        {
            (names ??= []).Add(name.ToArray());
            return false;
        });
        foreach (byte[] name in names ?? [])
        {
            int result = system.RemoveAttribute(node, name);
            if (result < 0 && result != -Errno.NoAttribute)
            {
                string text = EntryName.Escape(name);
                Report("-" + text, result, $"The extra attribute '{text}'", "If it matters, remove the attribute by hand.", path, report, "removed");
            }
        }

        return names is not null;
    }

    // Goes through the attributes that an item has and its entry has not, until one is what is looked for.
    private bool FindSurplus(ManifestEntry entry, UnixNode node, Func<ReadOnlySpan<byte>, bool> isWanted)
    {
        Span<byte> few = stackalloc byte[1024];
        int length = system.ListAttributes(node, few);
        if (length == -Errno.Range)
        {
            few = new byte[AttributeRoom];
            length = system.ListAttributes(node, few);
        }

        if (length <= 0)
        {
            return false;
        }

        ReadOnlySpan<byte> names = few[..length];
        foreach (Range range in names.Split((byte)0))
        {
            ReadOnlySpan<byte> name = names[range];
            if (!name.IsEmpty && IsRemovable(name) && !Has(entry, name) && isWanted(name))
            {
                return true;
            }
        }

        return false;

        bool Has(ManifestEntry entry, ReadOnlySpan<byte> name)
        {
            foreach (EntryAttribute attribute in entry.Attributes)
            {
                // A long stream is no attribute to be set, and not to be taken away.
                if ((IsAttribute(attribute) || attribute.Tag == AttributeTag.LongStream) && attribute.Name.Span.SequenceEqual(name))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private bool HasAttributes(ManifestEntry entry, UnixNode node)
    {
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (IsAttribute(attribute) && !HasAttribute(node, attribute))
            {
                return false;
            }
        }

        return true;
    }

    private bool HasAttribute(UnixNode node, in EntryAttribute attribute)
    {
        int room = attribute.Value.Length + 1;
        Span<byte> value = room <= 256 ? stackalloc byte[256] : new byte[room];
        int length = system.GetAttribute(node, attribute.Name.Span, value);
        return length >= 0 && value[..length].SequenceEqual(attribute.Value.Span);
    }

    private void SetMode(
        ManifestEntry entry,
        UnixNode node,
        in UnixStat current,
        bool owned,
        bool touched,
        ReadOnlySpan<byte> path,
        Action<BackupException> report)
    {
        // A program that runs as its owner must not run as another one.
        uint mode = entry.Metadata.Mode & (owned ? AllBits : PermissionBits | StickyBit);
        if (entry.Kind == EntryKind.SymbolicLink || (!touched && (current.Mode & AllBits) == mode))
        {
            return;
        }

        int result = system.ChangeMode(node, mode);
        if (result < 0)
        {
            Report("mode", result, "The permissions", "If they matter, restore onto a file system that supports permissions.", path, report);
        }
    }

    private void Report(
        string key, int result, string what, string action, ReadOnlySpan<byte> path, Action<BackupException> report, string done = "set")
    {
        bool general = result == -Errno.NotPermitted || result == -Errno.NotSupported || result == -Errno.NotTerminal;
        if (general && !_reported.TryAdd(key, true))
        {
            return;
        }

        report(UnixRestoreError.OfMetadata(
            result, what, general ? action + " Other items with this problem are not reported." : action, path, done));
    }
}

/// <summary>What an item may have that its entry does not: it is taken away.</summary>
internal enum Surplus
{
    /// <summary>Nothing: it is new.</summary>
    Nothing,

    /// <summary>Access lists that its folder handed on to it.</summary>
    AccessLists,

    /// <summary>Anything: it was there before.</summary>
    Anything,
}
