"""What a person looks at: piano rolls."""
