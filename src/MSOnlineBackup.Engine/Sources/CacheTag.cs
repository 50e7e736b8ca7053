namespace MSOnlineBackup.Engine.Sources;

/// <summary>How a program marks a folder of things that it can make again (the Cache Directory Tagging Specification).</summary>
internal static class CacheTag
{
    /// <summary>The name of the tag.</summary>
    public static ReadOnlySpan<byte> Name => "CACHEDIR.TAG"u8;

    /// <summary>How its content begins; without it the name alone means nothing.</summary>
    public static ReadOnlySpan<byte> Signature => "Signature: 8a477f597d28d172789f06886806bc55"u8;
}
