namespace MSOnlineBackup.Vaults.Storage;

/// <summary>The rule for names of stored objects, the same for every store.</summary>
public static class ObjectName
{
    /// <summary>Whether a name is legal: 1 to 255 characters; '/'-separated segments of <c>[a-z0-9.-]</c>, none empty, none beginning with '.'.</summary>
    public static bool IsValid(string name)
    {
        if (name.Length is 0 or > 255)
        {
            return false;
        }

        bool segmentStart = true;
        foreach (char c in name)
        {
            bool legal = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-' || (c is '.' or '/' && !segmentStart);
            if (!legal)
            {
                return false;
            }

            segmentStart = c == '/';
        }

        return !segmentStart;
    }

    /// <summary>Refuses an illegal name: a bug of the caller, as names from a vault are checked where they are read.</summary>
    /// <exception cref="ArgumentException">It is not a valid name.</exception>
    public static void ThrowIfInvalid(string name)
    {
        if (!IsValid(name))
        {
            throw new ArgumentException($"'{name}' is not the name of a stored object.", nameof(name));
        }
    }

    /// <summary>Refuses what is neither empty nor a whole folder ending in '/'.</summary>
    /// <exception cref="ArgumentException">It is neither.</exception>
    public static void ThrowIfInvalidPrefix(string prefix)
    {
        if (prefix.Length != 0 && !(prefix.EndsWith('/') && IsValid(prefix[..^1])))
        {
            throw new ArgumentException($"'{prefix}' is not a folder of stored objects.", nameof(prefix));
        }
    }
}
