namespace MSOnlineBackup.Vaults.Pipes;

/// <summary>What a server wants to be done by the program at the other end, which it has started for that. What both say to each other is theirs alone: the pipe only carries it.</summary>
internal interface IPipeErrand
{
    /// <summary>Gives the order, once.</summary>
    /// <param name="asked">What the other side says of itself.</param>
    /// <returns>At most <see cref="PipeFrame.MostBody"/> bytes. They are zeroed when they were sent, since a key may be among them.</returns>
    /// <exception cref="Errors.BackupException">The other side is told.</exception>
    byte[] Give(ReadOnlySpan<byte> asked);

    /// <summary>Hears how far the other side is, or how it ended.</summary>
    /// <returns>The answer, of a few bytes.</returns>
    /// <exception cref="Errors.BackupException">The other side is told.</exception>
    byte[] Hear(ReadOnlySpan<byte> said);
}
