namespace MSOnlineBackup.Mounts.WebDav;

/// <summary>Whether a client has a file already, or the one that it means.</summary>
internal static class Preconditions
{
    /// <summary>What the answer is where it is not the file: 304 or 412; 200 where it is.</summary>
    /// <param name="request">The request, of GET or HEAD.</param>
    /// <param name="tag">The file's tag.</param>
    /// <param name="modified">Its time, in whole seconds.</param>
    public static int Check(HttpHead request, string tag, DateTimeOffset? modified)
    {
        if (request.Get("If-Match") is { } match)
        {
            if (!Names(match, tag, isWeakEnough: false))
            {
                return 412;
            }
        }
        else if (FileFacts.ReadTime(request.Get("If-Unmodified-Since")) is { } unmodified && modified > unmodified)
        {
            return 412;
        }

        return request.Get("If-None-Match") is { } none
            ? Names(none, tag, isWeakEnough: true) ? 304 : 200
            : FileFacts.ReadTime(request.Get("If-Modified-Since")) is { } since && modified <= since ? 304 : 200;
    }

    /// <summary>Whether a range may be given: who has a part of another file must get the whole.</summary>
    public static bool AllowRange(HttpHead request, string tag, DateTimeOffset? modified) =>
        request.Get("If-Range") is not { } state || state == tag || (FileFacts.ReadTime(state) is { } time && time == modified);

    private static bool Names(string list, string tag, bool isWeakEnough) => list.Trim() == "*" || list
        .Split(',', StringSplitOptions.TrimEntries)
        .Any(item => item == tag || (isWeakEnough && item.StartsWith("W/", StringComparison.Ordinal) && item[2..] == tag));
}
