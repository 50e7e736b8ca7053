using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Mounts.Fuse;

/// <summary>The extended attributes of an item, as Linux names them. Those that other systems have are of the user's.</summary>
internal static class FuseXattrs
{
    /// <summary>The names, each with its NUL.</summary>
    public static byte[] List(ManifestEntry entry)
    {
        var names = new List<byte>();
        foreach (EntryAttribute attribute in entry.Attributes)
        {
            if (attribute.Tag == AttributeTag.ExtendedAttribute)
            {
                names.AddRange(attribute.Name.Span);
                names.Add(0);
            }
        }

        return [.. names];
    }

    /// <summary>The value of one; null where there is none of that name.</summary>
    public static ReadOnlyMemory<byte>? Find(ManifestEntry entry, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < entry.Attributes.Count; i++)
        {
            EntryAttribute attribute = entry.Attributes[i];
            if (attribute.Tag == AttributeTag.ExtendedAttribute && attribute.Name.Span.SequenceEqual(name))
            {
                return attribute.Value;
            }
        }

        return null;
    }
}
